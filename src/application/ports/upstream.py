from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ...domain.chat import ChatRequest
from ...domain.dialects import Dialect
from ...domain.operations import OperationRequest
from ...domain.providers import Provider
from ...domain.requests import ModelRequest
from ...domain.routes import Unsupported
from ...domain.timeouts import Timeouts
from ...domain.usage import TokenUsage

RequestT = TypeVar("RequestT", bound=ModelRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamCall(Generic[RequestT]):
    """One attempt: a request to one model of one provider. `output_cap` is sent where it is set;
    `unsupported` says what to do with fields that the provider cannot take."""

    provider: Provider
    credential: str | None = field(repr=False)
    model: str
    request: RequestT
    output_cap: int | None
    timeouts: Timeouts
    unsupported: Unsupported = Unsupported.DROP


class ChatReply(NamedTuple):
    """A whole answer in the OpenAI format, or in the caller's own `dialect`. `usage` is None where
    the provider told none; `dropped` names the request's fields that the provider cannot take."""

    body: dict[str, Any]
    usage: TokenUsage | None
    dropped: tuple[str, ...] = ()
    dialect: Dialect | None = None


class ChatChunk(NamedTuple):
    """One event of a streamed answer, in the format of its stream. `usage` is what the provider
    told so far, on the chunks that tell it; `text_bytes` is how much the model has said in it."""

    body: dict[str, Any]
    usage: TokenUsage | None = None
    text_bytes: int = 0


class ChunkStream(Protocol):
    """The chunks of one answer in the OpenAI format, or in the caller's own `dialect`. Closing it
    early hangs up on the provider."""

    dropped: tuple[str, ...]
    dialect: Dialect | None

    def __aiter__(self) -> AsyncIterator[ChatChunk]: ...

    async def __anext__(self) -> ChatChunk:
        """Raises ProviderBrokeOff where the provider stops before it has finished."""
        ...

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationReply:
    """What an operation made: a JSON object, or bytes of a type. `usage` is None where the provider
    told none."""

    body: dict[str, Any] | bytes
    content_type: str = "application/json"
    usage: TokenUsage | None = None
    dropped: tuple[str, ...] = ()


class Upstream(Protocol):
    """Whoever answers chats. Both raise ProviderError, or RejectedByProvider for the caller's
    fault; UnsupportedField where the call must not be sent without what would be dropped."""

    async def complete(self, call: UpstreamCall[ChatRequest]) -> ChatReply: ...

    async def stream(self, call: UpstreamCall[ChatRequest]) -> ChunkStream:
        """Returns once the provider has accepted the call, before its first chunk."""
        ...


class OperationUpstream(Protocol):
    """Whoever does what is no chat. Both raise ProviderError, or RejectedByProvider for the
    caller's fault; UnsupportedField where the call must not be sent without what would be
    dropped."""

    async def perform(self, call: UpstreamCall[OperationRequest]) -> OperationReply: ...

    async def stream_operation(
        self, call: UpstreamCall[OperationRequest]
    ) -> ChunkStream | OperationReply:
        """Returns once the provider has accepted the call, before its first event; or the whole
        answer of one that does not know of events: some models have none, and say nothing of it."""
        ...
