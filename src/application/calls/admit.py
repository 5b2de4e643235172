from dataclasses import dataclass

from ...domain.admission import Reservation
from ...domain.errors import LedgerFull, RateLimited
from ...domain.limits import Refusal
from ...domain.receipt import Receipt
from ..ports.admission import Admission
from ..ports.ledger import LedgerWriter
from ..ports.upstream import RequestT
from .plan_call import Plan


@dataclass(frozen=True, slots=True)
class Admit:
    """Lets a planned call go ahead, or raises RateLimited.

    Raises LedgerFull while what earlier calls cost cannot be written down: spending that nobody
    records would be worse than a refusal.
    """

    admission: Admission
    ledger: LedgerWriter

    async def __call__(self, plan: Plan[RequestT]) -> tuple[Reservation, Receipt]:
        if not self.ledger.has_room():
            raise LedgerFull
        decision, remaining = await self.admission.admit(plan.ask, plan.key.limits)
        receipt = Receipt(
            request_id=plan.ask.request_id,
            limits=plan.key.limits,
            remaining=remaining,
            output_cap=plan.output_cap if plan.request.output_cap is None else None,
        )
        if isinstance(decision, Refusal):
            refused = RateLimited(decision)
            refused.receipt = receipt
            raise refused
        return decision, receipt
