from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from ...domain.chat import ChatRequest
from ...domain.providers import Provider
from ...domain.timeouts import Timeouts
from ...domain.usage import TokenUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamCall:
    """One attempt: a chat for one model of one provider. `output_cap` is sent where it is set."""

    provider: Provider
    credential: str | None = field(repr=False)
    model: str
    chat: ChatRequest
    output_cap: int | None
    timeouts: Timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply:
    """A whole answer in the OpenAI format. `usage` is None where the provider told none;
    `dropped` names the request's fields that the provider cannot take."""

    body: dict[str, Any]
    usage: TokenUsage | None
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatChunk:
    """One event of a streamed answer in the OpenAI format. `usage` is what the provider told so
    far, on the chunks that tell it; `text_bytes` is how much the model has said in it."""

    body: dict[str, Any]
    usage: TokenUsage | None = None
    text_bytes: int = 0


class ChunkStream(Protocol):
    """The chunks of one answer. Closing it early hangs up on the provider."""

    dropped: tuple[str, ...]

    def __aiter__(self) -> AsyncIterator[ChatChunk]: ...

    async def __anext__(self) -> ChatChunk:
        """Raises ProviderBrokeOff where the provider stops before it has finished."""
        ...

    async def aclose(self) -> None: ...


class Upstream(Protocol):
    """Whoever answers. Both raise ProviderError, or RejectedByProvider for the caller's fault."""

    async def complete(self, call: UpstreamCall) -> ChatReply: ...

    async def stream(self, call: UpstreamCall) -> ChunkStream:
        """Returns once the provider has accepted the call, before its first chunk."""
        ...
