from dataclasses import replace

import pytest
from domain_values import amounts, prices, usages
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.money import ZERO, Money
from langroute.domain.pricing import ModelPrice, Rates, Service
from langroute.domain.units import MOST_RATES, NO_UNITS, UNITS, UnitRates, Units, unit_of
from langroute.domain.usage import NO_USAGE, TokenUsage

NAMES = (*UNITS, "images:high", "images:high:1024x1536")
COUNTS = st.dictionaries(st.sampled_from(NAMES), st.integers(1, 10**6)).map(Units)
RATES = st.dictionaries(st.sampled_from((*NAMES, "requests")), amounts(0, 10**13)).map(UnitRates)
FREE = Rates(input=ZERO, output=ZERO)


def price(**rates: str) -> ModelPrice:
    by_name = {name.replace("__", ":"): Money.from_usd(usd) for name, usd in rates.items()}
    return ModelPrice(rates=FREE, units=UnitRates(by_name))


@pytest.mark.parametrize(
    ("rates", "used", "usd"),
    [
        ({"images": "0.04"}, {"images": 3}, "0.12"),
        ({"characters": "15"}, {"characters": 4096}, "0.06144"),  # tts-1
        ({"audio_seconds": "0.36"}, {"audio_seconds": 60}, "0.006"),  # whisper-1
        ({"web_searches": "10"}, {"web_searches": 3}, "0.03"),
        ({"file_searches": "2.5"}, {"file_searches": 1, "web_searches": 1}, "0.0025"),
        ({"requests": "12"}, {"web_searches": 3}, "0.012"),
        # A second of it is no whole number of pico-dollars: it is charged up to the next one.
        ({"audio_seconds": "0.111"}, {"audio_seconds": 1}, "0.000030833334"),
        ({"audio_seconds": "0.111"}, {"audio_seconds": 3600}, "0.111"),
    ],
)
def test_each_unit_is_priced_by_as_many_as_it_is_sold_in(
    rates: dict[str, str], used: dict[str, int], usd: str
) -> None:
    usage = TokenUsage(units=Units(used))
    assert price(**rates).cost_of(usage) == Money.from_usd(usd)


def test_a_picture_of_another_kind_may_have_its_own_price() -> None:
    dall_e = price(images="0.04", images__hd="0.08", images__hd__1024x1792="0.12")
    for name, cents in (
        ("images", 4),
        ("images:standard:1024x1024", 4),
        ("images:hd:1024x1024", 8),
        ("images:hd:1024x1792", 12),
    ):
        usage = TokenUsage(units=Units({name: 1}))
        assert dall_e.cost_of(usage) == Money(cents * 10**10)


def test_a_rate_of_nothing_is_a_rate() -> None:
    offered = price(images="0.04", images__low="0")
    assert offered.cost_of(TokenUsage(units=Units({"images:low": 5}))) == ZERO


def test_the_fee_of_a_request_is_charged_once_for_each_call_that_used_anything() -> None:
    with_fee = price(requests="5")
    assert with_fee.cost_of(NO_USAGE) == ZERO
    one = TokenUsage(input=1)
    assert with_fee.cost_of(one) == with_fee.cost_of(one + one) == Money.from_usd("0.005")
    assert with_fee.bound(1, 1) == Money.from_usd("0.005")


def test_a_service_charges_what_is_not_in_tokens_as_the_ordinary_one_unless_it_says_else() -> None:
    searched = TokenUsage(units=Units.of(web_searches=1), service="flex")
    plain = price(web_searches="10")
    flex = Service("flex", ModelPrice(rates=FREE))
    assert replace(plain, services=(flex,)).cost_of(searched) == Money.from_usd("0.01")
    dearer = Service("flex", price(web_searches="30"))
    price_of_both = replace(plain, services=(dearer,))
    assert price_of_both.cost_of(searched) == Money.from_usd("0.03")
    assert price_of_both.bound(0, 0, searched.units) == Money.from_usd("0.03")


@given(prices(), RATES, usages(), COUNTS, st.sampled_from([None, "flex", "priority"]))
def test_no_call_costs_more_than_its_bound(
    tokens: ModelPrice, rates: UnitRates, usage: TokenUsage, units: Units, service: str | None
) -> None:
    priced = replace(tokens, units=rates)
    used = replace(usage, units=units, service=service)
    bound = priced.bound(usage.prompt_tokens, usage.completion_tokens, units)
    assert priced.cost_of(used) <= bound
    more = units + Units.of(images=1, characters=7)
    assert bound <= priced.bound(usage.prompt_tokens, usage.completion_tokens, more)


@given(RATES, COUNTS, COUNTS)
def test_costs_add_up_to_a_pico_dollar_for_each_unit(
    rates: UnitRates, some: Units, more: Units
) -> None:
    apart = rates.pico_of(some) + rates.pico_of(more)
    together = rates.pico_of(some + more)
    assert together <= apart <= together + len(NAMES)


@given(COUNTS, COUNTS)
def test_what_was_used_adds_up(some: Units, more: Units) -> None:
    for name in NAMES:
        assert (some + more).count(name) == some.count(name) + more.count(name)
    assert some + NO_UNITS == some
    assert TokenUsage(units=some) + TokenUsage(units=more) == TokenUsage(units=some + more)


@pytest.mark.parametrize(
    ("name", "count"),
    [("images", 0), ("images", -1), ("images", True), ("tokens", 1), ("requests", 1)]
    + [(name, 1) for name in ("images:", "images:A", "characters:hd", "images:a:b:c:d")],
)
def test_what_is_no_count_cannot_exist(name: str, count: int) -> None:
    with pytest.raises(ValueError, match="cannot be used"):
        Units({name: count})


def test_what_is_no_rate_cannot_exist() -> None:
    with pytest.raises(ValueError, match="there is no unit"):
        UnitRates({"tokens": ZERO})
    with pytest.raises(ValueError, match="negative"):
        UnitRates({"images": Money(-1)})
    with pytest.raises(ValueError, match="at most"):
        UnitRates({f"images:{number}": ZERO for number in range(MOST_RATES + 1)})
    assert unit_of("images:hd") == "images"
    assert unit_of("requests") is None
