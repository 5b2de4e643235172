from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from itertools import chain

from genai_prices import __version__ as catalogue_version
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ModelInfo, StartDateConstraint, TieredPrices
from genai_prices.types import ModelPrice as ListedPrice

from ...domain.money import Money
from ...domain.pricing import DatedPrice, ModelPrice, Rates, Service, Tier
from ...domain.services import service_in
from ...domain.units import REQUESTS, UnitRates

_TOKENS_PER_MTOK = 1_000_000
_SOURCE = f"genai-prices {catalogue_version}"

# The catalogue's name for each class of tokens.
_FIELDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cached_audio_input": "cache_audio_read_mtok",
    "cached_image_input": "cache_image_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "audio_input": "input_audio_mtok",
    "reasoning": "output_reasoning_mtok",
    "audio_output": "output_audio_mtok",
    "image_input": "input_image_mtok",
    "image_output": "output_image_mtok",
}


# And for what is not sold by the token, for as many as `units.RATED` has.
_UNITS = {
    "characters": "input_mchars",
    "audio_seconds": "input_audio_hours",
    "web_searches": "web_searches_kcount",
    "file_searches": "storage_searches_kcount",
    REQUESTS: "requests_kcount",
}
# Where the catalogue has another name for a provider.
_NAMES = {"gemini": "google"}


def dated_prices(provider: str, models: Iterable[str]) -> tuple[DatedPrice, ...]:
    snapshot = get_snapshot()
    name = _NAMES.get(provider, provider)
    known = next((p for p in snapshot.providers if p.id == name), None)
    if known is None:
        return ()
    rows: list[DatedPrice] = []
    for model in models:
        listed = known.find_model(model)
        if listed is not None:
            rows.extend(_dated(provider, model, listed))
    return tuple(rows)


def _dated(provider: str, model: str, listed: ModelInfo) -> Iterable[DatedPrice]:
    """One row for each moment at which anything of it changes."""
    standard, services = list(_standard(listed)), list(_services(listed))
    before: ModelPrice | None = None
    moments = {begins_ns for begins_ns, _ in standard} | {begins_ns for begins_ns, _, _ in services}
    for at_ns in sorted(moments):
        # The last one that has begun applies.
        begun = [prices for begins_ns, prices in standard if begins_ns <= at_ns]
        if not begun:
            continue
        own = [(name, prices) for begins_ns, name, prices in services if begins_ns <= at_ns]
        price = _price(begun[-1], own)
        if price is None or price == before:
            continue
        before = price
        yield DatedPrice(
            provider=provider,
            model=model,
            effective_from_ns=at_ns,
            price=price,
            source=_SOURCE,
        )


def _standard(listed: ModelInfo) -> Iterable[tuple[int, ListedPrice]]:
    if isinstance(listed.prices, ListedPrice):
        yield 0, listed.prices
        return
    for entry in listed.prices:
        # Prices by the hour of the day are not ours yet; the all-day ones stand beside them.
        if _is_by_day(entry.constraint):
            yield _begins_ns(entry.constraint), entry.prices


def _services(listed: ModelInfo) -> Iterable[tuple[int, str, ListedPrice]]:
    """What is dearer for coming sooner, or cheaper for coming later; batches are not passed on."""
    for variant in listed.price_variants or ():
        name = service_in(variant.when) if len(variant.when) == 1 else None
        if name is not None and _is_by_day(variant.constraint):
            yield _begins_ns(variant.constraint), name, variant.prices


def _is_by_day(constraint: object) -> bool:
    return constraint is None or isinstance(constraint, StartDateConstraint)


def _begins_ns(constraint: object) -> int:
    if not isinstance(constraint, StartDateConstraint):
        return 0
    begins = datetime.combine(constraint.start_date, time(), UTC)
    return int(begins.timestamp()) * 10**9


def _price(standard: ListedPrice, services: Iterable[tuple[str, ListedPrice]]) -> ModelPrice | None:
    """None for what is sold by something that is not counted here, such as pages."""
    given, units = _of_tokens(standard), _unit_rates(standard)
    if given["input"] is None and given["output"] is None and not units:
        return None
    own: dict[str, Service] = {}
    for name, prices in services:
        # The first counts, and what it does not say is as in the standard.
        said = _of_tokens(prices)
        told = {each: given[each] if price is None else price for each, price in said.items()}
        others = UnitRates({**units.by_name, **_unit_rates(prices).by_name})
        own.setdefault(name, Service(name, replace(_tiered(told), units=others)))
    return replace(_tiered(given), units=units, services=tuple(own[name] for name in sorted(own)))


def _of_tokens(listed: ListedPrice) -> dict[str, Decimal | TieredPrices | None]:
    return {name: getattr(listed, field, None) for name, field in _FIELDS.items()}


def _unit_rates(listed: ListedPrice) -> UnitRates:
    given = {name: getattr(listed, field, None) for name, field in _UNITS.items()}
    return UnitRates(
        {
            name: Money.from_usd(Decimal(str(usd)))
            for name, usd in given.items()
            if usd is not None and not isinstance(usd, TieredPrices)
        }
    )


def _tiered(given: Mapping[str, Decimal | TieredPrices | None]) -> ModelPrice:
    thresholds = sorted(set(chain.from_iterable(_thresholds(price) for price in given.values())))
    return ModelPrice(
        rates=_rates(given, 0),
        tiers=tuple(Tier(above_prompt_tokens=at, rates=_rates(given, at)) for at in thresholds),
    )


def _thresholds(price: Decimal | TieredPrices | None) -> list[int]:
    return [tier.start for tier in price.tiers] if isinstance(price, TieredPrices) else []


def _rates(given: Mapping[str, Decimal | TieredPrices | None], above: int) -> Rates:
    rates = {name: _rate(price, above) for name, price in given.items()}
    free = Money(0)
    plain_in, plain_out = rates.pop("input") or free, rates.pop("output") or free
    return Rates(input=plain_in, output=plain_out, **rates)


def _rate(price: Decimal | TieredPrices | None, above: int) -> Money | None:
    if price is None:
        return None
    per_mtok = price
    if isinstance(price, TieredPrices):
        per_mtok = price.base
        for tier in sorted(price.tiers, key=lambda tier: tier.start):
            if tier.start <= above:
                per_mtok = tier.price
    return Money.from_usd(Decimal(str(per_mtok)) / _TOKENS_PER_MTOK)
