from dataclasses import dataclass
from uuid import UUID

from .ids import KeyId

MAX_NAME = 255
DAY_NS = 24 * 3600 * 10**9
"""How long what was answered is kept."""
LEASE_S = 15.0
"""How long whoever answers may be silent, before another one takes over."""
MAX_KEPT_BYTES = 4 * 1024 * 1024
"""The most of a body that is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatableCall:
    """A call that its caller has given a name, so that it may be asked for again.

    `request` is the SHA-256 of what is asked: the same name for another request is a mistake.
    """

    key_id: KeyId
    name: str
    request: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.name) <= MAX_NAME or not (
            self.name.isascii() and self.name.isprintable()
        ):
            raise ValueError(f"a name must have from 1 to {MAX_NAME} printable ASCII characters")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReply:
    """What was answered, to be answered again. `streamed` says that it came in pieces."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Begun:
    """Nobody has answered yet: whoever asked is to do it, as the `owner`."""

    owner: UUID


@dataclass(frozen=True, slots=True)
class UnderWay:
    """Somebody else is answering."""


@dataclass(frozen=True, slots=True)
class OtherRequest:
    """The name stands for another request."""


Found = KeptReply | Begun | UnderWay | OtherRequest
UNDER_WAY = UnderWay()
OTHER_REQUEST = OtherRequest()
