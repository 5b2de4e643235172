"""What every store of the catalogue must do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Never

import pytest

from langroute.adapters.memory.catalogues import MemoryCatalogues
from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.application.ports.catalogues import Catalogues, StillInUse
from langroute.domain.catalogue import EMPTY_CATALOGUE, Catalogue
from langroute.domain.errors import InvalidRequest, NotFound
from langroute.domain.money import Money
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates, Service, Tier
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.routes import ModelRoute, Target, Unbounded, Unsupported
from langroute.domain.units import UnitRates
from postgres_fixtures import Databases
from samples import CLOCK, SECOND_NS

OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://api.openai.com/v1")
LOCAL = Provider(
    name="local",
    kind=ProviderKind.MISTRAL,
    base_url="http://127.0.0.1:8080/v1",
    needs_credential=False,
)
ROUTE = ModelRoute(
    model="gpt-*",
    aliases=("default", "fast*"),
    output_cap=4096,
    unsupported=Unsupported.REFUSE,
    unbounded=Unbounded.DEBT,
    shrink=True,
    targets=(
        Target(provider="openai", model="gpt-*", order=1, weight=3),
        Target(provider="local", model="tiny", order=0),
        Target(provider="openai", model="gpt-4o"),
    ),
)
RATES = Rates(
    input=Money(150_000),
    output=Money(600_001),
    cached_input=Money(75_000),
    cached_audio_input=Money(2),
    cached_image_input=Money(3),
    cache_write=Money(0),
    cache_write_1h=Money(9),
    audio_input=Money(1),
    image_input=Money(10_000_000),
    reasoning=Money(600_000),
    audio_output=Money(80_000_000),
    image_output=Money(0),
)
UNITS = UnitRates(
    {
        "images": Money.from_usd("0.04"),
        "images:hd:1024x1792": Money.from_usd("0.12"),
        "audio_seconds": Money(111_000_000_001),
        "requests": Money(0),
    }
)
PRICE = DatedPrice(
    provider="openai",
    model="gpt-4o",
    effective_from_ns=CLOCK.now_ns() - SECOND_NS,
    price=ModelPrice(
        rates=RATES,
        tiers=(
            Tier(above_prompt_tokens=128_000, rates=Rates(input=Money(1), output=Money(2))),
            Tier(above_prompt_tokens=200_000, rates=RATES),
        ),
        services=(
            Service("flex", ModelPrice(rates=Rates(input=Money(1), output=Money(2)))),
            Service(
                "priority",
                ModelPrice(
                    rates=RATES, tiers=(Tier(above_prompt_tokens=9, rates=RATES),), units=UNITS
                ),
            ),
        ),
        units=UNITS,
    ),
    source="a test",
)


@pytest.fixture(params=["memory", "postgres"])
async def catalogues(
    request: pytest.FixtureRequest, databases: Databases
) -> AsyncIterator[Catalogues]:
    if request.param == "memory":
        yield MemoryCatalogues()
        return
    async with databases.migrated() as database:
        yield PostgresCatalogues(database)


async def test_there_is_nothing_at_first(catalogues: Catalogues) -> None:
    assert await catalogues.load() == EMPTY_CATALOGUE


async def test_what_was_put_reads_back_whole(catalogues: Catalogues) -> None:
    await catalogues.put(providers=[OPENAI, LOCAL], routes=[ROUTE], prices=[PRICE])

    catalogue = await catalogues.load()

    assert catalogue.providers == {"openai": OPENAI, "local": LOCAL}
    assert catalogue.routes == (ROUTE,)
    assert catalogue.prices.rows() == (PRICE,)


async def test_what_has_the_same_name_is_replaced(catalogues: Catalogues) -> None:
    await catalogues.put(providers=[OPENAI, LOCAL], routes=[ROUTE], prices=[PRICE])
    provider = Provider(name="openai", kind=ProviderKind.MISTRAL, base_url="http://elsewhere")
    route = ModelRoute(model="gpt-*", targets=(Target(provider="local", model="tiny"),))
    price = DatedPrice(
        provider="openai",
        model="gpt-4o",
        effective_from_ns=PRICE.effective_from_ns,
        price=ModelPrice(rates=Rates(input=Money(5), output=Money(6))),
    )

    await catalogues.put(providers=[provider], routes=[route], prices=[price])

    catalogue = await catalogues.load()
    assert catalogue.providers == {"openai": provider, "local": LOCAL}
    assert catalogue.routes == (route,)
    assert catalogue.prices.rows() == (price,)


@pytest.mark.parametrize("unsupported", Unsupported)
async def test_a_route_keeps_what_to_do_with_unsupported_fields(
    catalogues: Catalogues, unsupported: Unsupported
) -> None:
    targets = (Target(provider="openai", model="m"),)
    plain = ModelRoute(model="m", targets=targets)
    route = ModelRoute(model="m", targets=targets, unsupported=unsupported)

    await catalogues.put(providers=[OPENAI], routes=[plain])
    await catalogues.put(routes=[route])

    (kept,) = (await catalogues.load()).routes
    assert kept.unsupported is unsupported
    assert plain.unsupported is Unsupported.DROP


async def test_a_price_of_another_date_stands_beside_the_first(catalogues: Catalogues) -> None:
    later = DatedPrice(
        provider="openai",
        model="gpt-4o",
        effective_from_ns=CLOCK.now_ns() + 3600 * SECOND_NS,
        price=ModelPrice(rates=Rates(input=Money(5), output=Money(6))),
    )

    await catalogues.put(prices=[later, PRICE])

    prices = (await catalogues.load()).prices
    assert prices.at("openai", "gpt-4o", PRICE.effective_from_ns) == PRICE.price
    assert prices.at("openai", "gpt-4o", later.effective_from_ns) == later.price


async def test_prices_are_changed_as_they_are_by_then(catalogues: Catalogues) -> None:
    """However many do so at once, none undoes what another does."""
    await catalogues.put(providers=[OPENAI], prices=[PRICE])
    first_ns = PRICE.effective_from_ns

    def one_dearer(there: Catalogue) -> Sequence[DatedPrice]:
        assert set(there.providers) == {"openai"}
        newest = max(there.prices.rows(), key=lambda row: row.effective_from_ns)
        dearer = replace(RATES, input=newest.price.rates.input + Money(1))
        at_ns = newest.effective_from_ns + SECOND_NS
        price = replace(newest.price, rates=dearer)
        return [replace(newest, effective_from_ns=at_ns, price=price)]

    changed = await asyncio.gather(*(catalogues.change_prices(one_dearer) for _ in range(8)))

    book = (await catalogues.load()).prices
    assert sorted(row.effective_from_ns for (row,) in changed) == [
        first_ns + after * SECOND_NS for after in range(1, 9)
    ]
    assert all(row in book.rows() for (row,) in changed)
    last = book.at("openai", "gpt-4o", first_ns + 8 * SECOND_NS)
    assert last is not None
    assert last.rates.input == RATES.input + Money(8)
    assert last.services == PRICE.price.services


async def test_nobody_puts_a_price_while_they_are_changed(catalogues: Catalogues) -> None:
    """Nor does it matter that there is none yet."""
    await catalogues.put(providers=[OPENAI])

    def after_the_last(there: Catalogue) -> Sequence[DatedPrice]:
        at_ns = max((row.effective_from_ns for row in there.prices.rows()), default=0) + SECOND_NS
        return [replace(PRICE, effective_from_ns=at_ns)]

    await asyncio.gather(
        *(catalogues.change_prices(after_the_last) for _ in range(4)),
        *(catalogues.put(providers=[OPENAI, LOCAL], prices=[PRICE]) for _ in range(4)),
        *(catalogues.change_prices(after_the_last) for _ in range(4)),
    )

    rows = (await catalogues.load()).prices.rows()
    assert len({row.effective_from_ns for row in rows}) == 9


async def test_a_change_of_prices_that_fails_changes_nothing(catalogues: Catalogues) -> None:
    await catalogues.put(providers=[OPENAI], prices=[PRICE])

    def wrong(_: Catalogue) -> Never:
        raise InvalidRequest("no", param="service")

    with pytest.raises(InvalidRequest):
        await catalogues.change_prices(wrong)
    assert await catalogues.change_prices(lambda _: []) == []
    assert (await catalogues.load()).prices.rows() == (PRICE,)


async def test_routes_are_told_in_the_order_of_their_models(catalogues: Catalogues) -> None:
    targets = (Target(provider="openai", model="m"),)
    models = ["B", "a", "a-b", "a.b", "ä"]

    await catalogues.put(
        providers=[OPENAI],
        routes=[ModelRoute(model=model, targets=targets) for model in reversed(models)],
    )

    assert [route.model for route in (await catalogues.load()).routes] == models


async def test_a_route_to_an_undefined_provider_changes_nothing(catalogues: Catalogues) -> None:
    with pytest.raises(NotFound) as caught:
        await catalogues.put(providers=[OPENAI], routes=[ROUTE], prices=[PRICE])

    assert (caught.value.what, caught.value.name) == ("provider", "local")
    assert await catalogues.load() == EMPTY_CATALOGUE


async def test_a_provider_in_use_stays(catalogues: Catalogues) -> None:
    other = ModelRoute(model="a", targets=(Target(provider="local", model="tiny"),))
    await catalogues.put(providers=[OPENAI, LOCAL], routes=[ROUTE, other])

    with pytest.raises(StillInUse) as caught:
        await catalogues.remove_provider("local")

    assert caught.value.routes == ("a", "gpt-*")
    assert set((await catalogues.load()).providers) == {"openai", "local"}


async def test_prices_outlive_their_provider(catalogues: Catalogues) -> None:
    await catalogues.put(providers=[OPENAI], prices=[PRICE])

    assert await catalogues.remove_provider("openai")
    assert not await catalogues.remove_provider("openai")

    catalogue = await catalogues.load()
    assert not catalogue.providers
    assert catalogue.prices.rows() == (PRICE,)


async def test_a_route_is_removed_with_its_targets(catalogues: Catalogues) -> None:
    await catalogues.put(providers=[OPENAI, LOCAL], routes=[ROUTE])

    assert await catalogues.remove_route("gpt-*")
    assert not await catalogues.remove_route("gpt-*")

    assert (await catalogues.load()).routes == ()
    assert await catalogues.remove_provider("local")
