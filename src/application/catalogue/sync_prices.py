from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...domain.price_differences import PriceDifference, Step
from ..ports.catalogues import CatalogueLookup, Catalogues
from ..ports.clock import Clock
from .compare_prices import ComparePrices


@dataclass(frozen=True, slots=True)
class SyncPrices:
    """Open to administrators. Adds the list prices that are missing or have changed, in force from
    now on: what was charged stays. An operator's own price is kept, unless `force` says otherwise.
    Without `apply` nothing is written."""

    compare: ComparePrices
    catalogues: Catalogues
    catalogue: CatalogueLookup
    clock: Clock

    async def __call__(
        self, *, force: bool = False, apply: bool = False
    ) -> Sequence[tuple[PriceDifference, Step]]:
        steps = [(each, each.step(force=force)) for each in await self.compare()]
        if apply:
            now_ns = self.clock.now_ns()
            prices = [
                replace(each.listed, effective_from_ns=now_ns)
                for each, step in steps
                if each.listed is not None and step in {Step.ADD, Step.REPLACE}
            ]
            if prices:
                await self.catalogues.put(prices=prices)
                await self.catalogue.refresh()
        return steps
