from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...application.ports.upstream import UpstreamCall
from ...domain.chat import ChatRequest
from ...domain.dialects import Dialect
from ...domain.operations import OperationRequest, UploadedFile


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedChat:
    """A chat as the provider takes it. `path` comes behind the base URL, `headers` beside its own.
    `dropped` names what it cannot take; `own_ids` gives, for each id that had to be changed on the
    way out, the caller's. `dialect` is set where the caller's own words are sent, and its answer is
    not translated. `calls_functions` says that the caller knows OpenAI's older `functions`, and is
    to be answered by a `function_call`."""

    path: str
    body: dict[str, Any]
    dropped: tuple[str, ...] = ()
    own_ids: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    dialect: Dialect | None = None
    calls_functions: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedOperation:
    """An operation as the provider takes it: as JSON, or as a form, where `files` are not None.
    `streamed` is set where events are asked for, and come in OpenAI's format. `translate` makes
    OpenAI's format of an answer, where that is another: it may change what it is given, and raises
    Malformed."""

    path: str
    body: dict[str, Any]
    files: tuple[UploadedFile, ...] | None = None
    dropped: tuple[str, ...] = ()
    streamed: bool = False
    translate: Callable[[dict[str, Any]], dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a provider says is wrong. `status` is set where the body tells one of its own, and
    `retry_after_s` where it tells how long to wait."""

    message: str | None = None
    param: str | None = None
    code: str | None = None
    status: int | None = None
    retry_after_s: float | None = None


ChunkDecoder = Callable[[dict[str, Any], bytes], Sequence[dict[str, Any]] | None]
"""Takes one event of a streamed answer, its JSON and its name, and gives the chunks in the OpenAI
format that it comes to; None where the answer is over. May change what it is given, and keeps what
later events build on."""


class Codec(Protocol):
    """One provider's wire format. What comes back may be anything; Malformed says that it is not
    what it should be."""

    @property
    def default_url(self) -> str | None:
        """Where the provider lives; None for a format that is spoken in many places."""
        ...

    def headers(self, credential: str) -> Mapping[str, str]:
        """Those that prove who is calling."""
        ...

    def encode(self, call: UpstreamCall[ChatRequest], *, stream: bool) -> EncodedChat: ...

    def reply(self, body: dict[str, Any], sent: EncodedChat) -> dict[str, Any]:
        """A whole answer in the OpenAI format. May change the body it is given."""
        ...

    def decoder(self, sent: EncodedChat) -> ChunkDecoder:
        """For one streamed answer."""
        ...

    def operation(self, call: UpstreamCall[OperationRequest]) -> EncodedOperation | None:
        """None where the provider has no such thing."""
        ...

    def complaint(self, body: Mapping[str, Any]) -> Complaint: ...


def as_text(value: object) -> str | None:
    """Of a complaint, one part: some servers number their codes, and some send what is no text."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
