import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from langroute.adapters.pricing.genai_list_prices import GenaiListPrices
from langroute.application.catalogue.starter import CHATS
from langroute.domain.money import Money
from langroute.domain.pricing import DatedPrice, PriceBook, Rates
from langroute.domain.units import Units
from langroute.domain.usage import TokenUsage


def per_mtok(usd: str) -> Money:
    """A millionth of a dollar a million tokens is a pico-dollar a token."""
    return Money(Money.from_usd(usd).pico // 10**6)


def day(year: int, month: int, day_of_month: int) -> int:
    return int(datetime(year, month, day_of_month, tzinfo=UTC).timestamp()) * 10**9


def listed(provider: str, *models: str) -> tuple[DatedPrice, ...]:
    return GenaiListPrices().of(provider, models)


def test_the_price_of_an_old_model_is_exact() -> None:
    (row,) = listed("openai", "gpt-3.5-turbo")
    assert (row.provider, row.model, row.effective_from_ns) == ("openai", "gpt-3.5-turbo", 0)
    assert row.price.rates == Rates(input=Money(500_000), output=Money(1_500_000))
    assert row.price.tiers == ()
    assert row.price.cost_of(TokenUsage(input=1_000_000, output=1_000_000)) == Money.from_usd(2)


def test_a_provider_has_its_prices_under_the_catalogue_s_own_name() -> None:
    (row,) = listed("gemini", "gemini-3.5-flash-lite")
    assert (row.provider, row.price.rates.input) == ("gemini", per_mtok("0.3"))
    (row,) = listed("anthropic", "claude-opus-5-5")
    assert row.price.rates == Rates(
        input=per_mtok("4"),
        output=per_mtok("20"),
        cached_input=per_mtok("0.2"),
        cache_write=per_mtok("5"),
        cache_write_1h=per_mtok("8"),
    )


@pytest.mark.parametrize(
    ("model", "text", "seen", "written", "drawn"),
    [
        ("gpt-image-1", "5", "10", "40", None),
        ("gpt-image-1-mini", "2", "2.5", "8", None),
        ("gpt-image-1.5", "5", "8", "10", "32"),
        ("gpt-image-2", "5", "8", "30", None),
    ],
)
def test_images_have_prices_of_their_own(
    model: str, text: str, seen: str, written: str, drawn: str | None
) -> None:
    """Where the catalogue has one price for what is written and drawn, it is that of output."""
    (row,) = listed("openai", model)
    rates = row.price.rates
    assert (rates.input, rates.image_input) == (per_mtok(text), per_mtok(seen))
    assert (rates.output, rates.image_output) == (per_mtok(written), drawn and per_mtok(drawn))
    used = TokenUsage(input=1, image_input=2, image_output=3)
    assert row.price.cost_of(used) == (
        per_mtok(text) + per_mtok(seen) * 2 + per_mtok(drawn or written) * 3
    )


def test_an_image_that_a_chat_draws_has_a_price_of_its_own() -> None:
    (row,) = listed("gemini", "gemini-2.5-flash-image")
    assert row.price.rates == Rates(
        input=per_mtok("0.3"), output=per_mtok("2.5"), image_output=per_mtok("30")
    )


def test_long_prompts_have_prices_of_their_own() -> None:
    row = listed("openai", "gpt-6.1-sol")[0]
    rates, (tier,) = row.price.rates, row.price.tiers
    assert (rates.input, rates.output) == (per_mtok("2"), per_mtok("10"))
    assert (rates.cached_input, rates.cache_write) == (per_mtok("0.1"), per_mtok("2.5"))
    assert tier.above_prompt_tokens == 272_000
    assert tier.rates.input > rates.input
    assert tier.rates.output > rates.output
    short, long = TokenUsage(input=272_000), TokenUsage(input=272_001)
    assert row.price.cost_of(short) == rates.input * 272_000
    assert row.price.cost_of(long) == tier.rates.input * 272_001


def test_services_have_prices_of_their_own_from_the_day_on_which_they_are_known() -> None:
    before, after = listed("openai", "gpt-6.1-sol")
    assert (before.effective_from_ns, after.effective_from_ns) == (0, day(2026, 10, 12))
    assert before.price == replace(after.price, services=())
    rates = {service.name: service.price.rates for service in after.price.services}
    assert list(rates) == ["fast", "flex", "priority"]
    assert (rates["flex"].input, rates["flex"].output) == (per_mtok("1"), per_mtok("5"))
    assert (rates["priority"].input, rates["priority"].output) == (per_mtok("4"), per_mtok("20"))
    used = TokenUsage(input=272_001, output=1, service="priority")
    assert after.price.cost_of(used) == per_mtok("8") * 272_001 + per_mtok("30")


def test_what_a_service_does_not_say_costs_what_the_ordinary_one_costs() -> None:
    (row,) = listed("anthropic", "claude-fable-5-2")
    (fast,) = row.price.services
    assert fast.name == "fast"
    assert (fast.price.rates.input, fast.price.rates.cache_write_1h) == (
        per_mtok("16"),
        per_mtok("32"),
    )
    assert fast.price.rates.image_input == row.price.rates.image_input
    assert row.price.rates.input < fast.price.rates.input


def test_a_price_that_changed_has_a_row_for_each_date() -> None:
    book = PriceBook.of(listed("mistral", "mistral-medium-latest"))
    change = day(2026, 6, 16)
    before = book.at("mistral", "mistral-medium-latest", change - 1)
    after = book.at("mistral", "mistral-medium-latest", change)
    assert before is not None
    assert after is not None
    assert (before.rates.input, before.rates.output) == (per_mtok("0.4"), per_mtok("2"))
    assert (after.rates.input, after.rates.output) == (per_mtok("1.5"), per_mtok("7.5"))
    assert after.rates.cached_input == per_mtok("0.15")


def test_what_is_not_listed_is_left_out() -> None:
    rows = listed("openai", "no-such-model", "gpt-3.5-turbo", "mistral-medium-latest")
    assert [row.model for row in rows] == ["gpt-3.5-turbo"]
    assert listed("no-such-provider", "gpt-3.5-turbo") == ()
    assert listed("openai") == ()


def test_every_row_tells_where_it_comes_from() -> None:
    assert listed("openai", "gpt-4o")[0].source.startswith("genai-prices 0.2.")


def test_every_target_of_the_starter_chats_has_a_price() -> None:
    targets = {(target.provider, target.model) for route in CHATS for target in route.targets}
    for provider, model in targets:
        rows = listed(provider, model)
        assert rows, (provider, model)
        assert rows[0].effective_from_ns == 0
        assert all(row.price.rates.output >= row.price.rates.input > Money(0) for row in rows)


class Overheard:
    """Hears of every socket that this process opens. Audit hooks cannot be taken off again, so
    there is one, and it listens only when told to."""

    def __init__(self) -> None:
        self.listening = False
        self.heard: list[str] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.listening and event.startswith("socket."):
            self.heard.append(event)

    @contextmanager
    def listen(self) -> Iterator[list[str]]:
        self.listening = True
        try:
            yield self.heard
        finally:
            self.listening = False


@pytest.fixture(scope="module")
def overheard() -> Overheard:
    return Overheard()


def test_no_network_is_needed(overheard: Overheard) -> None:
    with overheard.listen() as heard:
        assert listed("openai", "gpt-4o")
        assert heard == []
        socket.socket().close()
    assert heard  # it would have been heard


@pytest.mark.parametrize(
    ("provider", "model", "units"),
    [
        ("openai", "tts-1", {"characters": "15"}),
        ("openai", "whisper-1", {"audio_seconds": "0.36"}),
        ("openai", "gpt-5", {"web_searches": "10", "file_searches": "2.5"}),
        ("anthropic", "claude-opus-5-5", {"web_searches": "10"}),
        ("gemini", "gemini-2.5-pro", {"web_searches": "35"}),
        ("perplexity", "sonar-pro", {"requests": "14"}),
        ("openai", "gpt-3.5-turbo", {}),
    ],
)
def test_what_is_not_sold_by_the_token_has_a_price(
    provider: str, model: str, units: dict[str, str]
) -> None:
    row = listed(provider, model)[-1]
    assert {name: str(rate.usd) for name, rate in row.price.units.by_name.items()} == units
    for service in row.price.services:
        assert service.price.units == row.price.units


def test_what_is_sold_by_the_letter_alone_costs_nothing_by_the_token() -> None:
    (row,) = listed("openai", "tts-1-hd")
    used = TokenUsage(input=1_000, output=9_000, units=Units.of(characters=1_000))
    assert row.price.cost_of(used) == Money.from_usd("0.03")


def test_cached_sound_and_images_have_prices_of_their_own() -> None:
    (image,) = listed("openai", "gpt-image-2")
    rates = image.price.rates
    assert (rates.cached_input, rates.cached_image_input) == (per_mtok("1.25"), per_mtok("2"))
    (sound,) = listed("gemini", "gemini-2.5-flash")
    rates = sound.price.rates
    assert (rates.cached_input, rates.cached_audio_input) == (per_mtok("0.03"), per_mtok("0.1"))
