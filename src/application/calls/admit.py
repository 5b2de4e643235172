from dataclasses import dataclass

from ...domain.admission import Reservation, budget_in_doubt
from ...domain.errors import LedgerFull, LimitReached, Unpriced
from ...domain.limits import Refusal
from ...domain.receipt import Receipt
from ..ports.admission import Admission
from ..ports.ledger import LedgerWriter
from ..ports.reservations import Reservations
from ..ports.upstream import RequestT
from .plan import Plan


@dataclass(frozen=True, slots=True)
class Admit:
    """Lets a planned call go ahead, as planned or, where it may be shrunk, with a cap that fits:
    the plan that comes back is the one to follow. Raises LimitReached; or Unpriced, where it falls
    under a budget and nobody knows what it costs.

    Raises LedgerFull while what earlier calls cost cannot be written down, spending that nobody
    records would be worse than a refusal, and StoreUnavailable where it may not go on without the
    store. It asks the store nothing: what is reserved is written while the provider is called.
    """

    admission: Admission
    ledger: LedgerWriter
    reservations: Reservations

    async def __call__(self, plan: Plan[RequestT]) -> tuple[Plan[RequestT], Reservation, Receipt]:
        if not self.ledger.has_room():
            raise LedgerFull
        self.reservations.check_room()
        check_priced(plan)
        limits = plan.key.all_limits
        decision, standings = await self.admission.admit(plan.ask, limits)
        if isinstance(decision, Refusal) and (fitted := plan.fitted(standings)) is not None:
            plan = fitted
            decision, standings = await self.admission.admit(plan.ask, limits)
        if isinstance(decision, Refusal):
            whose = plan.key.name_of(decision.limit.scope)
            refused = LimitReached(decision, whose)
            refused.receipt = Receipt(
                request_id=plan.ask.request_id,
                standings=standings,
                refusal=decision,
                scope_name=whose,
            )
            raise refused
        self.reservations.hold(decision)
        receipt = Receipt(
            request_id=plan.ask.request_id,
            standings=standings,
            warnings=decision.warnings,
            output_cap=plan.told_cap,
            shrunk_from=plan.shrunk_from,
        )
        return plan, decision, receipt


def check_priced(plan: Plan[RequestT]) -> None:
    """Raises Unpriced."""
    if plan.ask.priced:
        return
    budget = budget_in_doubt(plan.ask, plan.key.all_limits)
    if budget is not None:
        raise Unpriced(plan.ask.model, budget)
