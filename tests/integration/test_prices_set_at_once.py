"""Of administrators who set prices at the same time, none undoes what another does."""

import asyncio
from collections.abc import Iterable

import pytest

from langroute.adapters.cache.catalogue import CurrentCatalogue
from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.database import Database
from langroute.adapters.system.clock import SystemClock
from langroute.application.catalogue.compare_prices import ComparePrices
from langroute.application.catalogue.set_price import PriceOrder, SetPrice
from langroute.application.catalogue.sync_prices import SyncPrices
from langroute.application.ports.list_prices import ListPrices
from langroute.domain.money import Money
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.routes import ModelRoute, Target

OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://openai.test/v1")
CLOCK = SystemClock()


def _price(pico: int) -> ModelPrice:
    return ModelPrice(rates=Rates(input=Money(pico), output=Money(pico)))


class Listed:
    def of(self, provider: str, models: Iterable[str]) -> tuple[DatedPrice, ...]:
        return tuple(
            DatedPrice(
                provider=provider,
                model=model,
                effective_from_ns=0,
                price=_price(5),
                source="list 2",
            )
            for model in models
        )


_: type[ListPrices] = Listed


@pytest.fixture
async def catalogues(database: Database) -> PostgresCatalogues:
    return PostgresCatalogues(database)


async def test_the_prices_of_several_services(catalogues: PostgresCatalogues) -> None:
    await catalogues.put(providers=[OPENAI])
    set_price = SetPrice(catalogues, CurrentCatalogue(catalogues), CLOCK)
    await set_price(PriceOrder(provider="openai", model="m", price=_price(1)))
    names = [f"s{number}" for number in range(8)]

    def order(pico: int) -> PriceOrder:
        return PriceOrder(provider="openai", model="m", price=_price(pico))

    await asyncio.gather(*(set_price.of_service(name, order(9)) for name in names))
    await asyncio.gather(
        *(set_price.without_service("openai", "m", name) for name in names[:4]),
        set_price.ordinary(order(2)),
    )

    price = (await catalogues.load()).prices.at("openai", "m", CLOCK.now_ns())
    assert price is not None
    assert [service.name for service in price.services] == names[4:]
    assert price.rates == _price(2).rates


async def test_an_operator_s_own_price_and_the_list_s(catalogues: PostgresCatalogues) -> None:
    """Either the list's is added and the operator's comes after it, or it is not added."""
    models = [f"m{number}" for number in range(12)]
    routes = [
        ModelRoute(model=model, targets=(Target(provider="openai", model=model),))
        for model in models
    ]
    await catalogues.put(providers=[OPENAI], routes=routes)
    current = CurrentCatalogue(catalogues)
    set_price = SetPrice(catalogues, current, CLOCK)
    compare = ComparePrices(catalogues, Listed(), CLOCK)
    sync = SyncPrices(compare, catalogues, current, CLOCK)

    await asyncio.gather(
        *(
            step
            for model in models
            for step in (
                sync(apply=True),
                set_price(PriceOrder(provider="openai", model=model, price=_price(7))),
            )
        )
    )

    prices = (await catalogues.load()).prices
    assert {model: prices.at("openai", model, CLOCK.now_ns()) for model in models} == dict.fromkeys(
        models, _price(7)
    )
