from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic

from ...domain.keys import VirtualKey
from ...domain.limits import Refusal, Standing
from ..ports.admission import Admission
from ..ports.upstream import RequestT
from .admit import check_priced
from .plan import Plan
from .plan_call import PlanCall


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote(Generic[RequestT]):
    """The most that a call can use and cost, with the cap that it would be sent with; why it would
    not be admitted just now, if so; and what is left of the limits that count it."""

    plan: Plan[RequestT]
    refusal: Refusal | None
    standings: Sequence[Standing]


@dataclass(frozen=True, slots=True)
class QuoteCall:
    """Open to the holder of an active key. Asks no provider, and takes nothing.

    Raises what the call itself would raise before it is admitted: UnknownModel, Forbidden,
    UnboundedField, Unpriced.
    """

    plan: PlanCall
    admission: Admission

    async def __call__(self, key: VirtualKey, request: RequestT) -> Quote[RequestT]:
        plan = self.plan(key, request)
        check_priced(plan)
        refusal, standings = await self.admission.foresee(plan.ask, key.all_limits)
        if refusal is not None and (fitted := plan.fitted(standings)) is not None:
            return Quote(plan=fitted, refusal=None, standings=standings)
        return Quote(plan=plan, refusal=refusal, standings=standings)
