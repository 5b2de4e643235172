from typing import Any

from ...domain.ledger import Outcome
from ...domain.receipt import Receipt
from ..ports.upstream import ChatReply, OperationReply
from .conduct_call import Underway
from .settle import Ending, Settle


def settle_whole(
    settle: Settle,
    underway: Underway[Any, Any],
    reply: ChatReply | OperationReply,
    said: int,
) -> Receipt:
    """For a call that was answered in one piece: pays for it, and says how it came about.
    `said` are the tokens that can be seen of it, for a provider that told no usage."""
    plan = underway.plan
    used = plan.used(reply.usage, said, underway.target)
    settled = settle(
        underway.reservation,
        Ending(
            outcome=Outcome.SUCCEEDED,
            target=underway.target,
            usage=used,
            estimated=plan.is_estimated(reply.usage, used),
            attempts=len(underway.receipt.attempts),
            first_byte_ns=underway.first_byte_ns,
        ),
    )
    return underway.receipt.settled(
        # As of now, when what the call did not use has been given back.
        settled.standings,
        reply.dropped,
        settled.cost,
    )
