from dataclasses import dataclass
from typing import Any

from ...domain.chat import ChatRequest
from ...domain.dialects import Dialect
from ...domain.estimates import likely_tokens, token_bound
from ...domain.keys import VirtualKey
from ...domain.ledger import Outcome
from ...domain.receipt import Receipt
from ..ports.upstream import ChatReply, Upstream
from .conduct_chat import ConductChat
from .plan_chat import Plan
from .settle import Ending, Settle

# A response that is made in the background goes on being made, and billed, with nobody to tell.
_UNFINISHED = ("queued", "in_progress")


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedChat:
    """A whole answer in the OpenAI format, or in the caller's own `dialect`, and what the caller
    may know of how it came about."""

    body: dict[str, Any]
    receipt: Receipt
    dialect: Dialect | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteChat:
    """Open to the holder of an active key. Paid for exactly once, however it ends.

    Raises UnknownModel, Forbidden, RateLimited, RejectedByProvider, AllTargetsFailed, OwnError.
    """

    conduct: ConductChat
    upstream: Upstream
    settle: Settle

    async def __call__(self, key: VirtualKey, chat: ChatRequest) -> CompletedChat:
        underway = await self.conduct(key, chat, self.upstream.complete)
        reply = underway.answer
        entry = self.settle(
            underway.reservation,
            Ending(
                outcome=Outcome.SUCCEEDED,
                target=underway.target,
                usage=reply.usage
                or underway.plan.likely_usage(_likely_output(reply, underway.plan)),
                estimated=reply.usage is None,
                attempts=len(underway.receipt.attempts),
                first_byte_ns=underway.first_byte_ns,
            ),
        )
        receipt = underway.receipt.settled(
            # As of now, when what the call did not use has been given back.
            await self.settle.admission.remaining(key.id, key.limits),
            reply.dropped,
            entry.cost if entry.priced else None,
        )
        return CompletedChat(body=reply.body, receipt=receipt, dialect=reply.dialect)


def _likely_output(reply: ChatReply, plan: Plan[ChatRequest]) -> int:
    if reply.dialect is Dialect.RESPONSES and reply.body.get("status") in _UNFINISHED:
        return plan.ask.output_bound
    said = reply.body.get("choices") or reply.body.get("output") or reply.body.get("content") or []
    return likely_tokens(token_bound(said))
