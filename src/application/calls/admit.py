from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.admission import Ask, Reservation, counted
from ...domain.errors import LedgerFull, LimitReached, Unpriced
from ...domain.limits import Limit, Refusal
from ...domain.receipt import Receipt
from ..ports.admission import Admission
from ..ports.ledger import LedgerWriter
from ..ports.upstream import RequestT
from .plan_call import Plan


@dataclass(frozen=True, slots=True)
class Admit:
    """Lets a planned call go ahead, or raises LimitReached; or Unpriced, where it falls under a
    budget and nobody knows what it costs.

    Raises LedgerFull while what earlier calls cost cannot be written down: spending that nobody
    records would be worse than a refusal.
    """

    admission: Admission
    ledger: LedgerWriter

    async def __call__(self, plan: Plan[RequestT]) -> tuple[Reservation, Receipt]:
        if not self.ledger.has_room():
            raise LedgerFull
        limits = plan.key.all_limits
        if not plan.ask.priced:
            _check_no_budget(plan.ask, limits)
        decision, standings = await self.admission.admit(plan.ask, limits)
        receipt = Receipt(
            request_id=plan.ask.request_id,
            standings=standings,
            warnings=() if isinstance(decision, Refusal) else decision.warnings,
            output_cap=plan.output_cap if plan.request.output_cap is None else None,
        )
        if isinstance(decision, Refusal):
            refused = LimitReached(decision)
            refused.receipt = receipt
            raise refused
        return decision, receipt


def _check_no_budget(ask: Ask, limits: Sequence[Limit]) -> None:
    for each in counted(ask, [limit for limit in limits if limit.is_budget and not limit.soft]):
        raise Unpriced(ask.model, each.limit)
