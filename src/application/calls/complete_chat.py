from dataclasses import dataclass
from typing import Any, NamedTuple

from ...domain.chat import ChatRequest
from ...domain.dialects import Dialect
from ...domain.keys import VirtualKey
from ...domain.receipt import Receipt
from ..ports.upstream import Upstream
from .answers import said
from .conduct_call import ConductCall
from .settle import Settle
from .settle_whole import settle_whole


class CompletedChat(NamedTuple):
    """A whole answer in the OpenAI format, or in the caller's own `dialect`, and what the caller
    may know of how it came about."""

    body: dict[str, Any]
    receipt: Receipt
    dialect: Dialect | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteChat:
    """Open to the holder of an active key. Paid for exactly once, however it ends.

    Raises UnknownModel, PolicyError, RejectedByProvider, AllTargetsFailed, OwnError.
    """

    conduct: ConductCall
    upstream: Upstream
    settle: Settle

    async def __call__(self, key: VirtualKey, chat: ChatRequest) -> CompletedChat:
        underway = await self.conduct(key, chat, self.upstream.complete)
        reply = underway.answer
        receipt = settle_whole(self.settle, underway, reply, 0 if reply.usage else said(reply))
        return CompletedChat(body=reply.body, receipt=receipt, dialect=reply.dialect)
