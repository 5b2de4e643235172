from dataclasses import dataclass
from typing import Any

from ...domain.keys import VirtualKey
from ...domain.ledger import Outcome
from ...domain.operations import OperationRequest
from ...domain.receipt import Receipt
from ..ports.upstream import OperationReply, OperationUpstream
from .conduct_chat import ConductChat
from .settle import Ending, Settle


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

    Raises UnknownModel, Forbidden, RateLimited, RejectedByProvider, AllTargetsFailed, OwnError.
    """

    conduct: ConductChat
    upstream: OperationUpstream
    settle: Settle

    async def __call__(self, key: VirtualKey, request: OperationRequest) -> PerformedOperation:
        underway = await self.conduct(key, request, self.upstream.perform)
        reply: OperationReply = underway.answer
        entry = self.settle(
            underway.reservation,
            Ending(
                outcome=Outcome.SUCCEEDED,
                target=underway.target,
                usage=reply.usage or underway.plan.likely_usage(0),
                estimated=reply.usage is None,
                attempts=len(underway.receipt.attempts),
                first_byte_ns=underway.first_byte_ns,
            ),
        )
        receipt = underway.receipt.settled(
            await self.settle.admission.remaining(key.id, key.limits),
            reply.dropped,
            entry.cost if entry.priced else None,
        )
        return PerformedOperation(body=reply.body, content_type=reply.content_type, receipt=receipt)
