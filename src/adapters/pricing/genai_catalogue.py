from collections.abc import Iterable
from datetime import UTC, datetime, time
from decimal import Decimal
from itertools import chain

from genai_prices import __version__ as catalogue_version
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import ConditionalPrice, StartDateConstraint, TieredPrices
from genai_prices.types import ModelPrice as ListedPrice

from ...domain.money import Money
from ...domain.pricing import DatedPrice, ModelPrice, Rates, Tier

_TOKENS_PER_MTOK = 1_000_000
_SOURCE = f"genai-prices {catalogue_version}"

# The catalogue's name for each class of tokens. Reasoning is billed as output there.
_FIELDS = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached_input": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "audio_input": "input_audio_mtok",
    "audio_output": "output_audio_mtok",
    "image_input": "input_image_mtok",
    "image_output": "output_image_mtok",
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
            rows.extend(_dated(provider, model, listed.prices))
    return tuple(rows)


def _dated(
    provider: str, model: str, prices: ListedPrice | list[ConditionalPrice]
) -> Iterable[DatedPrice]:
    conditional = (
        [(prices, 0)]
        if isinstance(prices, ListedPrice)
        else [
            (entry.prices, _begins_ns(entry.constraint))
            for entry in prices
            # Prices by the hour of the day are not ours yet; the all-day ones stand beside them.
            if entry.constraint is None or isinstance(entry.constraint, StartDateConstraint)
        ]
    )
    for listed, effective_from_ns in conditional:
        price = _price(listed)
        if price is not None:
            yield DatedPrice(
                provider=provider,
                model=model,
                effective_from_ns=effective_from_ns,
                price=price,
                source=_SOURCE,
            )


def _begins_ns(constraint: object) -> int:
    if not isinstance(constraint, StartDateConstraint):
        return 0
    begins = datetime.combine(constraint.start_date, time(), UTC)
    return int(begins.timestamp()) * 10**9


def _price(listed: ListedPrice) -> ModelPrice | None:
    """None for what is not sold by the token."""
    given = {name: getattr(listed, field, None) for name, field in _FIELDS.items()}
    if given["input"] is None and given["output"] is None:
        return None
    thresholds = sorted(set(chain.from_iterable(_thresholds(price) for price in given.values())))
    return ModelPrice(
        rates=_rates(given, 0),
        tiers=tuple(Tier(above_prompt_tokens=at, rates=_rates(given, at)) for at in thresholds),
    )


def _thresholds(price: Decimal | TieredPrices | None) -> list[int]:
    return [tier.start for tier in price.tiers] if isinstance(price, TieredPrices) else []


def _rates(given: dict[str, Decimal | TieredPrices | None], above: int) -> Rates:
    rates = {name: _rate(price, above) for name, price in given.items()}
    free = Money(0)
    return Rates(
        input=rates["input"] or free,
        output=rates["output"] or free,
        cached_input=rates["cached_input"],
        cache_write=rates["cache_write"],
        audio_input=rates["audio_input"],
        audio_output=rates["audio_output"],
        image_input=rates["image_input"],
        image_output=rates["image_output"],
    )


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
