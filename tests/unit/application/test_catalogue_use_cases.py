from collections.abc import Iterable

import pytest
from scene import KEY_ID, OPENAI, OPENAI_PRICE, PROVIDERS, ROUTE, a_key

from clocks import SteppedClock
from langroute.adapters.memory.catalogues import MemoryCatalogues
from langroute.adapters.pricing.genai_list_prices import GenaiListPrices
from langroute.application.calls.list_models import ListModels, ModelCard
from langroute.application.catalogue.define_provider import DefineProvider
from langroute.application.catalogue.define_route import DefineRoute
from langroute.application.catalogue.seed_catalogue import SeedCatalogue, Seeded
from langroute.application.catalogue.set_price import PriceOrder, SetPrice
from langroute.application.catalogue.starter import CHATS, FREE, OTHERS
from langroute.application.catalogue.starter import PROVIDERS as STARTER_PROVIDERS
from langroute.application.catalogue.starter import ROUTES as STARTER_ROUTES
from langroute.application.ports.list_prices import ListPrices
from langroute.domain.errors import InvalidRequest, NotFound, UnknownModel
from langroute.domain.money import Money
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.routes import ModelRoute, Target


class OnePriceForAll:
    """Lists every model but one at the same price."""

    def of(self, provider: str, models: Iterable[str]) -> tuple[DatedPrice, ...]:
        return tuple(
            DatedPrice(
                provider=provider,
                model=model,
                effective_from_ns=0,
                price=OPENAI_PRICE,
                source="list",
            )
            for model in models
            if model != "mistral-small-latest"
        )


_: type[ListPrices] = OnePriceForAll


DEFAULT_URLS = {
    ProviderKind.OPENAI: "https://api.openai.com/v1",
    ProviderKind("anywhere"): None,
}


class Shelf:
    """Where operators define things."""

    def __init__(self, list_prices: ListPrices | None = None) -> None:
        self.catalogues = store = MemoryCatalogues()
        self.define_provider = DefineProvider(store, store, DEFAULT_URLS)
        self.define_route = DefineRoute(store, store)
        self.set_price = SetPrice(store, store, SteppedClock())
        self.seed = SeedCatalogue(store, store, list_prices or OnePriceForAll())


def a_provider(name: str = "openai", base_url: str = "https://openai.test/v1") -> Provider:
    return Provider(name=name, kind=ProviderKind.OPENAI, base_url=base_url)


def a_price(provider: str, model: str, pico: int, from_ns: int = 0) -> PriceOrder:
    rates = Rates(input=Money(pico), output=Money(pico))
    return PriceOrder(
        provider=provider, model=model, from_ns=from_ns, price=ModelPrice(rates=rates)
    )


async def test_seeding_twice_changes_nothing() -> None:
    shelf = Shelf()
    first = await shelf.seed()
    after_first = await shelf.catalogues.load()
    assert first.providers == len(STARTER_PROVIDERS)
    assert first.routes == len(STARTER_ROUTES)
    assert first.prices > 0
    assert await shelf.seed() == Seeded(providers=0, routes=0, prices=0)
    assert await shelf.catalogues.load() == after_first


async def test_seeding_touches_nothing_that_an_operator_defined() -> None:
    shelf = Shelf()
    own = a_provider("openai", "https://my-own-proxy.test/v1")
    route = ModelRoute(model="gpt-4o", targets=(Target(provider="openai", model="mine"),))
    price = a_price("openai", "gpt-4o-mini", 7, from_ns=5)
    await shelf.define_provider(own)
    await shelf.define_route(route)
    await shelf.set_price(price)
    await shelf.seed()
    there = await shelf.catalogues.load()
    assert there.providers["openai"] == own
    assert there.route("gpt-4o") == route
    assert [row for row in there.prices.rows() if row.model == "gpt-4o-mini"] == [price.dated(0)]
    # A model that an operator routes to is priced, too.
    assert there.prices.at("openai", "mine", 0) == OPENAI_PRICE


async def test_a_model_that_has_no_list_price_has_none() -> None:
    shelf = Shelf()
    await shelf.seed()
    prices = (await shelf.catalogues.load()).prices
    assert prices.at("mistral", "mistral-small-latest", 10**18) is None
    assert prices.at("mistral", "mistral-large-4", 10**18) is not None


async def test_what_a_new_gateway_knows_holds_together() -> None:
    """Every starter route leads to a starter provider, and what is not free has a list price."""
    shelf = Shelf(GenaiListPrices())
    await shelf.seed()
    there = await shelf.catalogues.load()
    now_ns = 1_795_000_000 * 10**9
    for route in CHATS:
        assert len({target.provider for target in route.targets}) == 2
        for target in route.targets:
            assert target.provider in there.providers
            assert there.prices.at(target.provider, target.model, now_ns), target
            stand_in = there.route(target.model)
            assert stand_in is not None
            assert stand_in.targets[0].provider == target.provider
    for route in OTHERS:
        (target,) = route.targets
        assert target.provider in there.providers
        priced = there.prices.at(target.provider, target.model, now_ns) is not None
        assert priced is (target.model not in FREE)


async def test_a_route_to_a_provider_that_does_not_exist_is_refused() -> None:
    shelf = Shelf()
    await shelf.define_provider(OPENAI)
    with pytest.raises(InvalidRequest) as refused:
        await shelf.define_route(ROUTE)
    assert refused.value.param == "targets.1.provider"
    assert (await shelf.catalogues.load()).routes == ()


async def test_a_route_is_replaced_and_removed_by_its_model() -> None:
    shelf = Shelf()
    for provider in PROVIDERS:
        await shelf.define_provider(provider)
    await shelf.define_route(ROUTE)
    other = ModelRoute(model=ROUTE.model, targets=ROUTE.targets[:1])
    assert await shelf.define_route(other) == other
    assert (await shelf.catalogues.load()).routes == (other,)
    await shelf.define_route.remove(ROUTE.model)
    assert (await shelf.catalogues.load()).routes == ()
    with pytest.raises(NotFound):
        await shelf.define_route.remove(ROUTE.model)


@pytest.mark.parametrize(
    ("name", "base_url", "param"),
    [
        ("", "https://x.test", "name"),
        ("Big", "https://x.test", "name"),
        ("a b", "https://x.test", "name"),
        ("a/b", "https://x.test", "name"),
        ("-a", "https://x.test", "name"),
        ("a" * 64, "https://x.test", "name"),
        ("good\n", "https://x.test", "name"),
        ("good", "", "base_url"),
        ("good", "x.test/v1", "base_url"),
        ("good", "ftp://x.test", "base_url"),
        ("good", "file:///etc/passwd", "base_url"),
        ("good", "https://", "base_url"),
        ("good", "https://[::1", "base_url"),
        ("good", "https://x.test:99999", "base_url"),
        ("good", "https://x.test:port", "base_url"),
        ("good", "https://user@x.test", "base_url"),
        ("good", "https://:secret@x.test", "base_url"),
        ("good", "https://x.test?key=secret", "base_url"),
        ("good", "https://x.test#part", "base_url"),
    ],
)
async def test_refuses_a_provider_that_cannot_be_called(
    name: str, base_url: str, param: str
) -> None:
    shelf = Shelf()
    with pytest.raises(InvalidRequest) as refused:
        await shelf.define_provider(a_provider(name, base_url))
    assert refused.value.param == param
    assert "secret" not in str(refused.value)
    assert (await shelf.catalogues.load()).providers == {}


@pytest.mark.parametrize("base_url", ["http://localhost:8080/v1", "https://[::1]:1/a/b"])
async def test_a_provider_may_stand_anywhere(base_url: str) -> None:
    shelf = Shelf()
    provider = a_provider("my.own-one_2", base_url)
    assert await shelf.define_provider(provider) == provider
    assert shelf.catalogues.current().providers == {"my.own-one_2": provider}


async def test_a_provider_is_removed_once_no_route_names_it() -> None:
    shelf = Shelf()
    for provider in PROVIDERS:
        await shelf.define_provider(provider)
    await shelf.define_route(ROUTE)
    with pytest.raises(InvalidRequest, match="smart"):
        await shelf.define_provider.remove("mistral")
    await shelf.define_route.remove("smart")
    await shelf.define_provider.remove("mistral")
    assert sorted((await shelf.catalogues.load()).providers) == ["local", "openai"]
    with pytest.raises(NotFound):
        await shelf.define_provider.remove("mistral")


async def test_a_new_price_leaves_the_one_before_it_on_record() -> None:
    shelf = Shelf()
    await shelf.define_provider(OPENAI)
    await shelf.set_price(a_price("openai", "gpt", 1, from_ns=0))
    await shelf.set_price(a_price("openai", "gpt", 2, from_ns=100))
    prices = (await shelf.catalogues.load()).prices
    before, after = prices.at("openai", "gpt", 99), prices.at("openai", "gpt", 100)
    assert before is not None
    assert after is not None
    assert (before.rates.input, after.rates.input) == (Money(1), Money(2))


async def test_refuses_a_price_at_a_provider_that_does_not_exist() -> None:
    with pytest.raises(InvalidRequest) as refused:
        await Shelf().set_price(a_price("openai", "gpt", 1))
    assert refused.value.param == "provider"


async def listed_models() -> ListModels:
    shelf = Shelf()
    for provider in PROVIDERS:
        await shelf.define_provider(provider)
    await shelf.define_route(
        ModelRoute(model="smart", aliases=("best", "top-*"), targets=ROUTE.targets)
    )
    await shelf.define_route(
        ModelRoute(model="local/*", targets=(Target(provider="local", model="*"),))
    )
    return ListModels(shelf.catalogues)


async def test_a_key_sees_the_models_that_it_may_use_by_name_and_no_wildcards() -> None:
    models = await listed_models()
    assert models(a_key()) == [
        ModelCard(model="best", owned_by="openai"),
        ModelCard(model="smart", owned_by="openai"),
    ]
    assert [card.model for card in models(a_key(None, "b*"))] == ["best"]
    assert models(a_key(None, "nothing")) == []


async def test_one_model_is_shown_wildcards_included_unless_the_key_may_not_use_it() -> None:
    models = await listed_models()
    key = a_key(None, "smart", "local/*")
    assert key.id == KEY_ID
    assert models.one(key, "local/tiny") == ModelCard(model="local/tiny", owned_by="local")
    assert models.one(key, "smart").owned_by == "openai"
    for model in ("best", "nothing"):
        with pytest.raises(UnknownModel):
            models.one(key, model)
