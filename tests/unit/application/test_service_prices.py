"""Prices of services, each set and removed alone."""

from dataclasses import replace

import pytest

from clocks import SteppedClock
from langroute.adapters.memory.catalogues import MemoryCatalogues
from langroute.application.catalogue.set_price import PriceOrder, SetPrice
from langroute.domain.errors import InvalidRequest, NotFound
from langroute.domain.money import Money
from langroute.domain.pricing import MOST_SERVICES, ModelPrice, Rates, Tier
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.units import UnitRates

OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://openai.test/v1")


def a_price(pico: int, from_ns: int | None = 0) -> PriceOrder:
    rates = Rates(input=Money(pico), output=Money(pico))
    price = ModelPrice(
        rates=rates,
        tiers=(Tier(above_prompt_tokens=pico, rates=rates),),
        units=UnitRates({"web_searches": Money(pico)}),
    )
    return PriceOrder(provider="openai", model="gpt", from_ns=from_ns, price=price)


class Shop:
    def __init__(self) -> None:
        self.catalogues = MemoryCatalogues()
        self.clock = SteppedClock()
        self.set_price = SetPrice(self.catalogues, self.catalogues, self.clock)

    async def open(self) -> "Shop":
        await self.catalogues.put(providers=[OPENAI])
        return self

    def at(self, at_ns: int) -> ModelPrice:
        price = self.catalogues.current().prices.at("openai", "gpt", at_ns)
        assert price is not None
        return price


async def test_a_service_s_price_leaves_all_else_as_it_is() -> None:
    shop = await Shop().open()
    await shop.set_price(a_price(10))
    await shop.set_price.of_service("priority", a_price(20, from_ns=5))
    await shop.set_price.of_service("flex", a_price(5, from_ns=6))
    await shop.set_price.of_service("priority", a_price(21, from_ns=7))
    assert shop.at(4) == a_price(10).price
    assert [service.name for service in shop.at(5).services] == ["priority"]
    flex, priority = shop.at(7).services
    assert (flex.price, priority.price) == (a_price(5).price, a_price(21).price)
    assert replace(shop.at(7), services=()) == a_price(10).price


async def test_the_ordinary_price_leaves_those_of_services() -> None:
    shop = await Shop().open()
    await shop.set_price.ordinary(a_price(10))
    await shop.set_price.of_service("flex", a_price(5, from_ns=5))
    await shop.set_price.ordinary(a_price(11, from_ns=6))
    (flex,) = shop.at(6).services
    assert flex.price == a_price(5).price
    assert shop.at(6).rates.input == Money(11)


async def test_a_service_without_its_price_costs_what_the_ordinary_one_costs() -> None:
    shop = await Shop().open()
    await shop.set_price(a_price(10))
    await shop.set_price.of_service("flex", a_price(5, from_ns=5))
    await shop.set_price.of_service("priority", a_price(20, from_ns=5))
    await shop.set_price.without_service("openai", "gpt", "flex", 6)
    assert [service.name for service in shop.at(5).services] == ["flex", "priority"]
    assert [service.name for service in shop.at(6).services] == ["priority"]
    with pytest.raises(NotFound):
        await shop.set_price.without_service("openai", "gpt", "flex", 7)
    with pytest.raises(NotFound):
        await shop.set_price.without_service("openai", "other", "flex", 7)


async def test_there_is_none_beside_no_price() -> None:
    shop = await Shop().open()
    with pytest.raises(InvalidRequest) as refused:
        await shop.set_price.of_service("flex", a_price(5))
    assert refused.value.param == "service"


async def test_a_service_is_named_where_there_are_too_many() -> None:
    shop = await Shop().open()
    await shop.set_price(a_price(10))
    for number in range(MOST_SERVICES):
        await shop.set_price.of_service(f"s{number}", a_price(5, from_ns=number))
    with pytest.raises(InvalidRequest) as refused:
        await shop.set_price.of_service("flex", a_price(5, from_ns=MOST_SERVICES))
    assert refused.value.param == "service"
    await shop.set_price.of_service("s0", a_price(6, from_ns=MOST_SERVICES))


async def test_a_price_of_nobody_is_refused() -> None:
    shop = await Shop().open()
    nobody = replace(a_price(1), provider="nobody")
    for setting in (
        shop.set_price(nobody),
        shop.set_price.ordinary(nobody),
        shop.set_price.of_service("flex", nobody),
        shop.set_price.without_service("nobody", "gpt", "flex"),
    ):
        with pytest.raises(InvalidRequest) as refused:
            await setting
        assert refused.value.param == "provider"


async def test_without_a_date_it_is_in_force_from_now_on() -> None:
    shop = await Shop().open()
    shop.clock.ns = 1_234_567
    price = await shop.set_price(a_price(1, from_ns=None))
    assert price.effective_from_ns == 1_234_000  # as finely as it is kept
    await shop.set_price.of_service("flex", a_price(2, from_ns=None))
    await shop.set_price.without_service("openai", "gpt", "flex")
    assert shop.at(1_234_567).services == ()
