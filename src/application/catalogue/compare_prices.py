from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.catalogue import Catalogue
from ...domain.price_differences import PriceDifference, difference
from ...domain.pricing import PriceBook
from ..ports.catalogues import Catalogues
from ..ports.clock import Clock
from ..ports.list_prices import ListPrices


@dataclass(frozen=True, slots=True)
class ComparePrices:
    """Open to administrators. Of the models that routes name: whose price in force is not what its
    provider lists, and who has none. A target whose name holds a `*` names no model."""

    catalogues: Catalogues
    list_prices: ListPrices
    clock: Clock

    async def __call__(self) -> Sequence[PriceDifference]:
        return self.of(await self.catalogues.load(), self.clock.now_ns())

    def of(self, there: Catalogue, now_ns: int) -> Sequence[PriceDifference]:
        found = []
        for provider, models in _named(there).items():
            listed = PriceBook.of(self.list_prices.of(provider, models))
            for model in models:
                stored = there.prices.in_force(provider, model, now_ns)
                differs = difference(
                    provider, model, stored, listed.in_force(provider, model, now_ns)
                )
                if differs is not None:
                    found.append(differs)
        return found


def _named(catalogue: Catalogue) -> dict[str, list[str]]:
    named = {
        (target.provider, target.model)
        for route in catalogue.routes
        for target in route.targets
        if "*" not in target.model
    }
    models: dict[str, list[str]] = {}
    for provider, model in sorted(named):
        models.setdefault(provider, []).append(model)
    return models
