from collections.abc import Iterable
from dataclasses import replace

from scene import OPENAI

from clocks import SteppedClock
from langroute.adapters.memory.catalogues import MemoryCatalogues
from langroute.application.catalogue.compare_prices import ComparePrices
from langroute.application.catalogue.sync_prices import SyncPrices
from langroute.application.ports.list_prices import ListPrices
from langroute.domain.money import Money
from langroute.domain.price_differences import Step
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates, Service, Tier
from langroute.domain.routes import ModelRoute, Target

NOW_NS = 1_000_000


class Listed:
    """What it was given."""

    def __init__(self, *prices: DatedPrice) -> None:
        self.prices = prices

    def of(self, provider: str, models: Iterable[str]) -> tuple[DatedPrice, ...]:
        asked = set(models)
        return tuple(p for p in self.prices if p.provider == provider and p.model in asked)


_listed: type[ListPrices] = Listed


def a_price(model: str, pico: int, *, from_ns: int = 0, source: str = "list 2") -> DatedPrice:
    return DatedPrice(
        provider="openai",
        model=model,
        effective_from_ns=from_ns,
        price=ModelPrice(rates=Rates(input=Money(pico), output=Money(pico))),
        source=source,
    )


class Shelf:
    def __init__(self, *listed: DatedPrice) -> None:
        self.store = MemoryCatalogues()
        clock = SteppedClock(NOW_NS)
        self.compare = ComparePrices(self.store, Listed(*listed), clock)
        self.sync = SyncPrices(self.compare, self.store, self.store, clock)

    async def define(self, *models: str, prices: Iterable[DatedPrice] = ()) -> None:
        routes = [
            ModelRoute(model=model, targets=(Target(provider="openai", model=model),))
            for model in models
        ]
        await self.store.put(providers=[OPENAI], routes=routes, prices=prices)


async def test_prices_that_are_listed_are_no_difference_whatever_their_edition() -> None:
    shelf = Shelf(a_price("a", 5))
    await shelf.define("a", prices=[a_price("a", 5, source="list 1")])

    assert await shelf.compare() == []
    assert await shelf.sync(apply=True, force=True) == []


async def test_what_is_missing_is_added_from_now_on() -> None:
    shelf = Shelf(a_price("a", 1), a_price("a", 5, from_ns=10), a_price("a", 9, from_ns=NOW_NS + 1))
    await shelf.define("a")

    (differs,) = await shelf.compare()
    assert (differs.stored, differs.listed) == (None, a_price("a", 5, from_ns=10))
    assert differs.classes == ()
    ((_, step),) = await shelf.sync()
    assert step is Step.ADD
    assert (await shelf.store.load()).prices.rows() == ()
    await shelf.sync(apply=True)

    assert (await shelf.store.load()).prices.rows() == (a_price("a", 5, from_ns=NOW_NS),)
    assert await shelf.compare() == []


async def test_an_older_edition_is_replaced_and_stays_on_record() -> None:
    before = a_price("a", 5, source="list 1")
    rates = Rates(input=Money(5), output=Money(5), image_input=Money(8), cache_write_1h=Money(9))
    tiers = (Tier(above_prompt_tokens=9, rates=rates),)
    services = (Service("priority", ModelPrice(rates=rates)),)
    price = ModelPrice(rates=rates, tiers=tiers, services=services)
    listed = replace(a_price("a", 5), price=price)
    shelf = Shelf(listed)
    await shelf.define("a", prices=[before])

    (differs,) = await shelf.compare()
    assert differs.classes == ("cache_write_1h", "image_input", "tiers", "services")
    ((_, step),) = await shelf.sync(apply=True)

    assert step is Step.REPLACE
    prices = (await shelf.store.load()).prices
    assert prices.in_force("openai", "a", NOW_NS - 1) == before
    assert prices.at("openai", "a", NOW_NS) == listed.price


async def test_an_operators_price_is_kept_unless_it_is_forced() -> None:
    own = a_price("a", 7, source="operator")
    shelf = Shelf(a_price("a", 5))
    await shelf.define("a", prices=[own])

    (differs,) = await shelf.compare()
    assert differs.is_operators
    assert [step for _, step in await shelf.sync(apply=True)] == [Step.KEEP]
    assert (await shelf.store.load()).prices.rows() == (own,)
    assert [step for _, step in await shelf.sync(apply=True, force=True)] == [Step.REPLACE]
    assert (await shelf.store.load()).prices.at("openai", "a", NOW_NS) == a_price("a", 5).price


async def test_a_model_that_nobody_lists_is_told_if_it_has_no_price() -> None:
    shelf = Shelf()
    await shelf.define("own", "free", "star-*", prices=[a_price("own", 7, source="operator")])

    (differs,) = await shelf.compare()

    assert (differs.model, differs.stored, differs.listed) == ("free", None, None)
    assert [step for _, step in await shelf.sync(apply=True, force=True)] == [Step.NOTHING]
    assert len((await shelf.store.load()).prices.rows()) == 1
