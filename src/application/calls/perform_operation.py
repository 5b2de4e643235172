from dataclasses import dataclass
from typing import Any

from ...domain.keys import VirtualKey
from ...domain.operations import OperationRequest
from ...domain.receipt import Receipt
from ..ports.upstream import OperationReply, OperationUpstream
from .conduct_call import ConductCall, Underway
from .settle import Settle
from .settle_whole import settle_whole


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformedOperation:
    """What was made, and what the caller may know of how it came about."""

    body: dict[str, Any] | bytes
    content_type: str
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformOperation:
    """Open to the holder of an active key. Embeddings, moderations, images, audio: paid for exactly
    once, however it ends.

    Raises UnknownModel, PolicyError, RejectedByProvider, AllTargetsFailed, OwnError.
    """

    conduct: ConductCall
    upstream: OperationUpstream
    settle: Settle

    async def __call__(self, key: VirtualKey, request: OperationRequest) -> PerformedOperation:
        underway = await self.conduct(key, request, self.upstream.perform)
        return performed(self.settle, underway, underway.answer)


def performed(
    settle: Settle, underway: Underway[Any, Any], reply: OperationReply
) -> PerformedOperation:
    """Paid for, with its receipt."""
    receipt = settle_whole(settle, underway, reply, said=0)
    return PerformedOperation(body=reply.body, content_type=reply.content_type, receipt=receipt)
