from collections.abc import Sequence
from dataclasses import dataclass, replace

from ...domain.catalogue import Catalogue
from ...domain.price_differences import PriceDifference, Step
from ...domain.pricing import DatedPrice
from ..ports.catalogues import CatalogueLookup, Catalogues
from ..ports.clock import Clock
from .compare_prices import ComparePrices

Steps = Sequence[tuple[PriceDifference, Step]]


@dataclass(frozen=True, slots=True)
class SyncPrices:
    """Open to administrators. Adds the list prices that are missing or have changed, in force from
    now on: what was charged stays. An operator's own price is kept, also one that is set meanwhile,
    unless `force` says otherwise. Without `apply` nothing is written."""

    compare: ComparePrices
    catalogues: Catalogues
    catalogue: CatalogueLookup
    clock: Clock

    async def __call__(self, *, force: bool = False, apply: bool = False) -> Steps:
        if not apply:
            return _steps(await self.compare(), force=force)
        steps: Steps = ()

        def brought_up(there: Catalogue) -> Sequence[DatedPrice]:
            nonlocal steps
            now_ns = self.clock.now_ns()
            steps = _steps(self.compare.of(there, now_ns), force=force)
            return [
                replace(each.listed, effective_from_ns=now_ns)
                for each, step in steps
                if each.listed is not None and step in {Step.ADD, Step.REPLACE}
            ]

        if await self.catalogues.change_prices(brought_up):
            await self.catalogue.refresh()
        return steps


def _steps(differences: Sequence[PriceDifference], *, force: bool) -> Steps:
    return [(each, each.step(force=force)) for each in differences]
