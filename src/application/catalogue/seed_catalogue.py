from dataclasses import dataclass

from ...domain.catalogue import Catalogue
from ...domain.pricing import DatedPrice
from ..ports.catalogues import CatalogueLookup, Catalogues
from ..ports.list_prices import ListPrices
from . import starter


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeded:
    providers: int
    routes: int
    prices: int


@dataclass(frozen=True, slots=True)
class SeedCatalogue:
    """Open to administrators. Adds the starter providers and routes, and the list prices of every
    model that a route names. What is there already is never touched, so seeding again is safe."""

    catalogues: Catalogues
    catalogue: CatalogueLookup
    list_prices: ListPrices

    async def __call__(self) -> Seeded:
        there = await self.catalogues.load()
        taken = {route.model for route in there.routes}
        providers = [p for p in starter.PROVIDERS if p.name not in there.providers]
        routes = [route for route in starter.ROUTES if route.model not in taken]
        prices = self._missing_prices(there)
        await self.catalogues.put(providers=providers, routes=routes, prices=prices)
        await self.catalogue.refresh()
        return Seeded(providers=len(providers), routes=len(routes), prices=len(prices))

    def _missing_prices(self, there: Catalogue) -> list[DatedPrice]:
        """A model that has any price keeps to its own: the operator's word counts more."""
        wanted = {
            (target.provider, target.model)
            for route in (*there.routes, *starter.ROUTES)
            for target in route.targets
        }
        priced = {(row.provider, row.model) for row in there.prices.rows()}
        missing = sorted(wanted - priced)
        return [
            price
            for provider in sorted({name for name, _ in missing})
            for price in self.list_prices.of(
                provider, [model for name, model in missing if name == provider]
            )
        ]
