from dataclasses import dataclass
from typing import Any

from ...domain.chat import ChatRequest
from ...domain.dialects import Dialect
from ...domain.keys import VirtualKey
from ...domain.timeouts import Timeouts
from ..ports.clock import Clock
from ..ports.upstream import ChatChunk, Upstream, UpstreamCall
from .answers import Begun, begun
from .conduct_call import ConductCall, Underway
from .paid_stream import PaidStream
from .settle import Settle

_LIKE_CHATS = (None, Dialect.COMPLETIONS)


class ChatStream(PaidStream):
    """Chunks in the OpenAI format, or events in the caller's own `dialect`, paid for."""

    def __init__(
        self,
        underway: Underway[ChatRequest, Begun],
        settle: Settle,
        clock: Clock,
        timeouts: Timeouts,
    ) -> None:
        super().__init__(underway, underway.answer, settle, clock, timeouts)
        self.dialect = underway.answer.chunks.dialect
        self._show_usage = underway.plan.request.include_usage
        self._open: set[int] = set()
        self._usage_chunk: dict[str, Any] | None = None

    def _shown(self, chunk: ChatChunk) -> dict[str, Any] | None:
        """The chunk as this caller should see it. Usage that nobody asked for is hidden; usage that
        was comes at the end, in a chunk of its own, wherever the provider told it."""
        body = chunk.body
        if self.dialect not in _LIKE_CHATS:
            return body
        if not body.get("choices"):
            if self._show_usage and body.get("usage") is not None:
                self._usage_chunk = body
                return None
            return body if self._show_usage or "usage" not in body else None
        if self._show_usage:
            if body.get("usage") is not None:
                self._usage_chunk = {**body, "choices": []}
            return {**body, "usage": None}
        if "usage" not in body:
            return body
        return {name: value for name, value in body.items() if name != "usage"}

    def _ends(self, chunk: ChatChunk) -> bool:
        """Whether no choice is open that has begun: not every provider gives as many as it is asked
        for."""
        choices = chunk.body.get("choices")
        if self.dialect not in _LIKE_CHATS or not isinstance(choices, list):
            return False
        has_ended = False
        for choice in choices:
            if not isinstance(choice, dict):
                continue
            index = choice.get("index")
            place = index if isinstance(index, int) else 0
            if choice.get("finish_reason") is None:
                self._open.add(place)
            else:
                self._open.discard(place)
                has_ended = True
        return has_ended and not self._open

    def _last(self) -> dict[str, Any] | None:
        return self._usage_chunk


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamChat:
    """Open to the holder of an active key. Returns once the first chunk is there, so a refusal or
    a provider's failure is a real error, and until then another target may answer; afterwards
    none may, or the caller would read two answers.

    Raises UnknownModel, PolicyError, RejectedByProvider, AllTargetsFailed, OwnError.
    """

    conduct: ConductCall
    upstream: Upstream
    settle: Settle
    clock: Clock
    timeouts: Timeouts

    async def __call__(self, key: VirtualKey, chat: ChatRequest) -> ChatStream:
        underway = await self.conduct(key, chat, self._begin)
        return ChatStream(underway, self.settle, self.clock, self.timeouts)

    async def _begin(self, call: UpstreamCall[ChatRequest]) -> Begun:
        return await begun(await self.upstream.stream(call), call.provider.name)
