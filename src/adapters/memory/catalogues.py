from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ...application.ports.catalogues import CatalogueLookup, Catalogues, StillInUse
from ...domain.catalogue import EMPTY_CATALOGUE, Catalogue
from ...domain.errors import NotFound
from ...domain.pricing import DatedPrice
from ...domain.providers import Provider
from ...domain.routes import ModelRoute
from .audit import MemoryAudit


class MemoryCatalogues:
    """For a gateway that is embedded without a database. What is put is current at once."""

    def __init__(self, audit: MemoryAudit | None = None) -> None:
        self._catalogue = EMPTY_CATALOGUE
        self._audit = audit

    def current(self) -> Catalogue:
        return self._catalogue

    async def refresh(self) -> None:
        """Nothing to do: it is never anything but current."""

    async def load(self) -> Catalogue:
        return self._catalogue

    async def put(
        self,
        *,
        providers: Iterable[Provider] = (),
        routes: Iterable[ModelRoute] = (),
        prices: Iterable[DatedPrice] = (),
    ) -> None:
        known = {**self._catalogue.providers, **{each.name: each for each in providers}}
        routes = tuple(routes)
        for name in sorted({target.provider for route in routes for target in route.targets}):
            if name not in known:
                raise NotFound("provider", name)
        there = (*self._catalogue.routes, *routes)
        dated = (*self._catalogue.prices.rows(), *prices)
        self._become(
            providers=known.values(),
            routes={route.model: route for route in there}.values(),
            prices={
                (row.provider, row.model, row.effective_from_ns): row for row in dated
            }.values(),
        )

    async def change_prices(
        self, change: Callable[[Catalogue], Sequence[DatedPrice]]
    ) -> Sequence[DatedPrice]:
        prices = change(self._catalogue)
        await self.put(prices=prices)
        return prices

    async def remove_provider(self, name: str) -> bool:
        pointing = sorted(
            route.model
            for route in self._catalogue.routes
            if any(target.provider == name for target in route.targets)
        )
        if pointing:
            raise StillInUse(tuple(pointing))
        left = [each for each in self._catalogue.providers.values() if each.name != name]
        gone = len(left) < len(self._catalogue.providers)
        self._become(
            providers=left, routes=self._catalogue.routes, prices=self._catalogue.prices.rows()
        )
        return gone

    async def remove_route(self, model: str) -> bool:
        left = [route for route in self._catalogue.routes if route.model != model]
        gone = len(left) < len(self._catalogue.routes)
        self._become(
            providers=self._catalogue.providers.values(),
            routes=left,
            prices=self._catalogue.prices.rows(),
        )
        return gone

    def _become(
        self,
        *,
        providers: Iterable[Provider],
        routes: Iterable[ModelRoute],
        prices: Iterable[DatedPrice],
    ) -> None:
        before = self._catalogue
        self._catalogue = Catalogue.of(
            providers=providers,
            routes=sorted(routes, key=lambda route: route.model),
            prices=prices,
        )
        if self._audit is not None:
            there, here = _named(before), _named(self._catalogue)
            for thing in {**there, **here}:
                self._audit.saw(thing.kind, thing.name, there.get(thing), here.get(thing))


class _Thing(NamedTuple):
    kind: str
    name: str
    since_ns: int = 0


def _named(catalogue: Catalogue) -> dict[_Thing, object]:
    return {
        **{_Thing("provider", name): provider for name, provider in catalogue.providers.items()},
        **{_Thing("route", route.model): route for route in catalogue.routes},
        **{
            _Thing("price", f"{row.provider}/{row.model}", row.effective_from_ns): row
            for row in catalogue.prices.rows()
        },
    }


_: type[Catalogues] = MemoryCatalogues
_lookup: type[CatalogueLookup] = MemoryCatalogues
