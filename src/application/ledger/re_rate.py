from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

from ...domain.audit import Action
from ...domain.corrections import BookedCall
from ...domain.errors import InvalidRequest, StoreUnavailable
from ...domain.money import ZERO, Money
from ...domain.pricing import PriceBook
from ...domain.re_rating import ReRated, re_rated
from ...domain.stores import Store
from ..ports.audit import AuditLog
from ..ports.catalogues import Catalogues
from ..ports.charged_calls import ChargedCalls, ChargedQuery
from ..ports.clock import Clock
from ..ports.ledger import LedgerCorrections
from .reasons import checked_reason

_PAGE = 500
# Each time, somebody else has corrected the same call in between.
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ReRating:
    """How many calls were looked at, how many of them are to cost something else, and what all of
    those cost before and after. `unpriced` ones had no price then, and have none now."""

    calls: int = 0
    changed: int = 0
    unpriced: int = 0
    cost_before: Money = ZERO
    cost_after: Money = ZERO

    @property
    def difference(self) -> Money:
        return self.cost_after - self.cost_before


@dataclass(frozen=True, slots=True, kw_only=True)
class ReRate:
    """Open to administrators. What past calls come to at the prices that are on record today as in
    force when each of them began; where that is another cost, applying adds a correction with the
    reason. What was used stays. A cost that somebody has corrected by hand is overruled, too.

    Applying again changes nothing, so one that was broken off may be repeated. Without `apply`
    nothing is written. Raises InvalidRequest, StoreUnavailable.
    """

    calls: ChargedCalls
    ledger: LedgerCorrections
    catalogues: Catalogues
    audit: AuditLog
    clock: Clock

    async def __call__(
        self, query: ChargedQuery, *, reason: str = "", apply: bool = False
    ) -> ReRating:
        if apply:
            reason = checked_reason(reason)
        if query.from_ns >= query.until_ns:
            raise InvalidRequest("'until' must be later than 'from'.", param="until")
        prices = (await self.catalogues.load()).prices
        summed_up = ReRating()
        try:
            async for call in self._all(query):
                found = re_rated(call, prices)
                if found is not None and apply:
                    found = await self._apply(found, prices, reason)
                summed_up = _with(summed_up, call, found)
        finally:  # also of what was applied before it broke off
            if apply and summed_up.changed:
                await self._note(query, summed_up, reason)
        return summed_up

    async def _all(self, query: ChargedQuery) -> AsyncIterator[BookedCall]:
        last: BookedCall | None = None
        while page := await self.calls.page(query, last, _PAGE):
            for call in page:
                yield call
            last = page[-1]

    async def _apply(self, found: ReRated, prices: PriceBook, reason: str) -> ReRated | None:
        """What was applied: nothing, where somebody else has done the same in between."""
        for _ in range(_ATTEMPTS):
            call = found.call
            correction = call.corrected(
                usage=call.usage,
                cost=found.cost,
                estimated=call.estimated,
                reason=reason,
                posted_at_ns=self.clock.now_ns(),
            )
            if await self.ledger.post(correction):
                return found
            present = await self.ledger.call(call.entry.request_id)
            if present is None:
                return None
            again = re_rated(present, prices)
            if again is None:
                return None
            found = again
        raise StoreUnavailable(Store.LEDGER)

    async def _note(self, query: ChargedQuery, summed_up: ReRating, reason: str) -> None:
        told = {
            "calls": summed_up.changed,
            "cost_usd_before": str(summed_up.cost_before),
            "cost_usd_after": str(summed_up.cost_after),
            "from_ns": query.from_ns,
            "until_ns": query.until_ns,
        }
        await self.audit.note(
            "ledger", f"{query.provider}/{query.model}", Action.RE_RATED, told, reason
        )


def _with(summed_up: ReRating, call: BookedCall, found: ReRated | None) -> ReRating:
    if found is None:
        return replace(
            summed_up,
            calls=summed_up.calls + 1,
            unpriced=summed_up.unpriced + (not call.priced),
        )
    return replace(
        summed_up,
        calls=summed_up.calls + 1,
        changed=summed_up.changed + 1,
        cost_before=summed_up.cost_before + found.call.cost,
        cost_after=summed_up.cost_after + found.cost,
    )
