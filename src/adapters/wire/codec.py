from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...application.ports.upstream import UpstreamCall


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedChat:
    """A request as the provider takes it. `dropped` names what it cannot take; `own_ids` gives,
    for each id that had to be changed on the way out, the caller's."""

    body: dict[str, Any]
    dropped: tuple[str, ...] = ()
    own_ids: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a provider says is wrong. `status` is set where the body tells one of its own."""

    message: str | None = None
    param: str | None = None
    code: str | None = None
    status: int | None = None


class Codec(Protocol):
    """One provider's wire format. What comes back may be anything; Malformed says that it is not
    what it should be."""

    @property
    def path(self) -> str:
        """Of chat completions, below the base URL."""
        ...

    def headers(self, credential: str) -> Mapping[str, str]:
        """Those that prove who is calling."""
        ...

    def encode(self, call: UpstreamCall, *, stream: bool) -> EncodedChat: ...

    def reply(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:
        """A whole answer in the OpenAI format. May change the body it is given."""
        ...

    def chunk(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:
        """One event of a streamed answer in the OpenAI format. May change what it is given."""
        ...

    def complaint(self, body: Mapping[str, Any]) -> Complaint: ...


def as_text(value: object) -> str | None:
    """Of a complaint, one part: some servers number their codes, and some send what is no text."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
