from dataclasses import replace

import pytest
from domain_values import SERVICES, TOKEN_CLASSES, counts, prices, rates, usages
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.money import ZERO, Money
from langroute.domain.pricing import (
    MOST_SERVICES,
    MOST_TIERS,
    DatedPrice,
    ModelPrice,
    PriceBook,
    Rates,
    Service,
    Tier,
)
from langroute.domain.usage import NO_USAGE, TokenUsage

INPUT_CLASSES = (
    *("input", "cached_input", "cached_audio_input", "cached_image_input"),
    *("cache_write", "cache_write_1h", "audio_input", "image_input"),
)
OUTPUT_CLASSES = ("output", "reasoning", "audio_output", "image_output")


def flat(pico: int) -> Rates:
    return Rates(input=Money(pico), output=Money(pico))


@given(rates(), usages(), usages())
def test_cost_adds_up_over_usage(rate: Rates, a: TokenUsage, b: TokenUsage) -> None:
    assert rate.cost_of(a) + rate.cost_of(b) == rate.cost_of(a + b)
    price = ModelPrice(rates=rate)
    assert price.cost_of(a) + price.cost_of(b) == price.cost_of(a + b)


@given(prices(), usages(3_000), usages(3_000))
def test_cost_adds_up_within_one_tier(price: ModelPrice, a: TokenUsage, b: TokenUsage) -> None:
    within = price.rates_for((a + b).prompt_tokens)
    assert within.cost_of(a) + within.cost_of(b) == price.cost_of(a + b)


@given(prices(), usages(3_000))
def test_cost_is_never_negative(price: ModelPrice, usage: TokenUsage) -> None:
    assert price.cost_of(usage) >= ZERO
    assert price.cost_of(NO_USAGE) == ZERO


@given(rates(), usages(), st.sampled_from(TOKEN_CLASSES), counts())
def test_more_tokens_never_cost_less(rate: Rates, usage: TokenUsage, name: str, more: int) -> None:
    assert rate.cost_of(usage + TokenUsage.counting({name: more})) >= rate.cost_of(usage)


@given(rates(), st.sampled_from(TOKEN_CLASSES), counts())
def test_each_class_costs_its_own_rate_or_the_plain_one(rate: Rates, name: str, count: int) -> None:
    plain = rate.input if name in INPUT_CLASSES else rate.output
    if name == "cache_write_1h" and rate.cache_write is not None:
        plain = rate.cache_write
    if name.startswith("cached_") and rate.cached_input is not None:
        plain = rate.cached_input
    own = getattr(rate, name)
    assert (
        rate.cost_of(TokenUsage.counting({name: count})) == (plain if own is None else own) * count
    )


@pytest.mark.parametrize("name", TOKEN_CLASSES)
def test_a_class_that_is_dearer_than_the_others_raises_the_bound(name: str) -> None:
    price = ModelPrice(rates=replace(flat(1), **{name: Money(1000)}))
    dear = TokenUsage.counting({name: 7})
    assert price.bound(dear.prompt_tokens, dear.completion_tokens) == Money(7000)
    assert price.cost_of(dear) == Money(7000)


@pytest.mark.parametrize("name", TOKEN_CLASSES)
def test_refuses_a_negative_rate(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        replace(flat(1), **{name: Money(-1)})


def test_a_tier_is_a_cliff_by_the_prompts_whole_length() -> None:
    price = ModelPrice(
        rates=flat(1),
        tiers=(
            Tier(above_prompt_tokens=100, rates=flat(10)),
            Tier(above_prompt_tokens=200, rates=flat(5)),
        ),
    )
    assert price.cost_of(TokenUsage(input=100)) == Money(100)
    assert price.cost_of(TokenUsage(input=101)) == Money(1010)
    assert price.cost_of(TokenUsage(input=200)) == Money(2000)
    assert price.cost_of(TokenUsage(input=201)) == Money(1005)
    assert price.cost_of(TokenUsage(input=50, cached_input=50, output=7)) == Money(107)
    assert price.cost_of(TokenUsage(input=50, cached_input=51, output=7)) == Money(1080)
    assert price.cost_of(TokenUsage(input=1, output=1_000)) == Money(1001)


@pytest.mark.parametrize("thresholds", [(0,), (-1,), (5, 5), (7, 5), (1, 3, 2)])
def test_refuses_tiers_out_of_order(thresholds: tuple[int, ...]) -> None:
    tiers = tuple(Tier(above_prompt_tokens=at, rates=flat(1)) for at in thresholds)
    with pytest.raises(ValueError, match="in order"):
        ModelPrice(rates=flat(1), tiers=tiers)


@st.composite
def bounds_and_usages(draw: st.DrawFn) -> tuple[int, int, TokenUsage]:
    """Counts, and a usage that stays within them, however it falls into classes."""
    most_in, most_out = draw(st.integers(0, 6_000)), draw(st.integers(0, 6_000))
    left_in, left_out = draw(st.integers(0, most_in)), draw(st.integers(0, most_out))
    split: dict[str, int] = {}
    for names, left in ((INPUT_CLASSES, left_in), (OUTPUT_CLASSES, left_out)):
        for name in draw(st.permutations(names)):
            split[name] = draw(st.just(left) | st.integers(0, left))
            left -= split[name]  # noqa: PLW2901
    return most_in, most_out, TokenUsage.counting(split)


@given(prices(), bounds_and_usages(), st.none() | st.sampled_from(SERVICES))
def test_nothing_within_the_bound_costs_more_than_it(
    price: ModelPrice, within: tuple[int, int, TokenUsage], service: str | None
) -> None:
    input_tokens, output_tokens, usage = within
    served = replace(usage, service=service)
    assert price.cost_of(served) <= price.bound(input_tokens, output_tokens)
    for asked in (price.asked_for(service), price.asked_for(None)):
        assert asked.bound(input_tokens, output_tokens) >= asked.cost_of(usage)
    asked_for = price.asked_for(service)
    assert price.cost_of(served) <= asked_for.bound(input_tokens, output_tokens)
    assert asked_for.cost_of(served) == price.cost_of(served)


def test_a_service_has_rates_and_tiers_of_its_own() -> None:
    fast = ModelPrice(rates=flat(20), tiers=(Tier(above_prompt_tokens=100, rates=flat(30)),))
    price = ModelPrice(rates=flat(10), services=(Service("priority", fast),))
    usage = TokenUsage(input=10, output=1)
    assert price.cost_of(usage) == Money(110)
    assert price.cost_of(replace(usage, service="priority")) == Money(220)
    assert price.cost_of(TokenUsage(input=101, service="priority")) == Money(3030)
    # One that nobody has priced costs what the ordinary one costs.
    assert price.cost_of(replace(usage, service="scale")) == Money(110)
    assert price.bound(10, 1) == price.asked_for("priority").bound(10, 1) == Money(220)
    assert price.asked_for(None).bound(10, 1) == Money(110)


def test_refuses_services_that_are_not_told_apart() -> None:
    service = Service("priority", ModelPrice(rates=flat(1)))
    for wrong in ((service, service), (service, Service("flex", ModelPrice(rates=flat(1))))):
        with pytest.raises(ValueError, match="in order"):
            ModelPrice(rates=flat(1), services=wrong)
    with pytest.raises(ValueError, match="in turn"):
        Service("flex", ModelPrice(rates=flat(1), services=(service,)))
    with pytest.raises(ValueError, match="name"):
        Service("", ModelPrice(rates=flat(1)))


def test_a_price_has_a_bounded_number_of_tiers_and_services() -> None:
    """Each call looks through all of them."""
    tiers = tuple(Tier(above_prompt_tokens=at, rates=flat(at)) for at in range(1, MOST_TIERS + 2))
    plain = ModelPrice(rates=flat(1))
    services = tuple(Service(f"s{number:03}", plain) for number in range(MOST_SERVICES + 1))
    most = ModelPrice(rates=flat(1), tiers=tiers[1:], services=services[1:])
    assert most.cost_of(TokenUsage(input=100)) == Money(100 * (MOST_TIERS + 1))
    with pytest.raises(ValueError, match="tiers"):
        replace(most, tiers=tiers)
    with pytest.raises(ValueError, match="services"):
        replace(most, services=services)


@given(rates(), st.integers(0, 6_000), st.integers(0, 6_000))
def test_the_bound_of_a_price_without_tiers_is_reached(
    rate: Rates, input_tokens: int, output_tokens: int
) -> None:
    """No looser than it must be: the bound is what is held back from a budget."""
    price = ModelPrice(rates=rate)
    assert price.bound(input_tokens, output_tokens) == max(
        price.cost_of(TokenUsage.counting({taken: input_tokens, made: output_tokens}))
        for taken in INPUT_CLASSES
        for made in OUTPUT_CLASSES
    )


def test_a_cheaper_tier_for_long_prompts_does_not_lower_the_bound() -> None:
    price = ModelPrice(rates=flat(10), tiers=(Tier(above_prompt_tokens=100, rates=flat(1)),))
    assert price.bound(101, 0) >= price.cost_of(TokenUsage(input=100)) == Money(1000)


def dated(model: str, from_ns: int, pico: int) -> DatedPrice:
    return DatedPrice(
        provider="openai",
        model=model,
        effective_from_ns=from_ns,
        price=ModelPrice(rates=flat(pico)),
    )


def test_a_price_book_tells_the_newest_price_that_has_begun() -> None:
    book = PriceBook.of(
        [dated("a", 200, 3), dated("a", 0, 1), dated("b", 50, 9), dated("a", 100, 2)]
    )
    told = [
        price and price.rates.input.pico
        for price in (book.at("openai", "a", now) for now in (0, 99, 100, 199, 200, 10**18))
    ]
    assert told == [1, 1, 2, 2, 3, 3]


def test_a_price_book_tells_nothing_before_the_first_price_nor_for_others() -> None:
    book = PriceBook.of([dated("b", 50, 9)])
    assert book.at("openai", "b", 49) is None
    assert book.at("openai", "b", 50) is not None
    assert book.at("mistral", "b", 50) is None
    assert book.at("openai", "c", 50) is None
    assert PriceBook().at("openai", "b", 50) is None


@given(
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9)), unique_by=lambda row: row[0]),
    st.integers(0, 25),
)
def test_a_price_book_agrees_with_looking_through_every_row(
    rows: list[tuple[int, int]], now_ns: int
) -> None:
    book = PriceBook.of(dated("a", from_ns, pico) for from_ns, pico in rows)
    begun = [row for row in rows if row[0] <= now_ns]
    found = book.at("openai", "a", now_ns)
    if not begun:
        assert found is None
    else:
        assert found == ModelPrice(rates=flat(max(begun)[1]))
    assert sorted(row.effective_from_ns for row in book.rows()) == sorted(row[0] for row in rows)
