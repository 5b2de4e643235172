"""Prices, and what is done with them, as plain JSON."""

from decimal import Decimal
from typing import Any

from ..application.ledger.re_rate import ReRating
from ..domain.money import Money
from ..domain.price_differences import PriceDifference
from ..domain.pricing import DatedPrice, ModelPrice, Rates
from .views import moment

_TOKENS_PER_MTOK = 1_000_000


def price_view(row: DatedPrice) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "model": row.model,
        "effective_from": moment(row.effective_from_ns),
        "source": row.source,
        **_rates_view(row.price.rates),
        "tiers": _tiers_view(row.price),
        "units": _units_view(row.price),
        "services": {
            service.name: {
                **_rates_view(service.price.rates),
                "tiers": _tiers_view(service.price),
                "units": _units_view(service.price),
            }
            for service in row.price.services
        },
    }


def _tiers_view(price: ModelPrice) -> list[dict[str, Any]]:
    return [
        {"above_prompt_tokens": tier.above_prompt_tokens, **_rates_view(tier.rates)}
        for tier in price.tiers
    ]


def _units_view(price: ModelPrice) -> dict[str, str]:
    """US dollars for as many as they are sold in."""
    return {name: _plain(rate.usd) for name, rate in sorted(price.units.by_name.items())}


def difference_view(differs: PriceDifference) -> dict[str, Any]:
    stored, listed = differs.stored, differs.listed
    return {
        "provider": differs.provider,
        "model": differs.model,
        "differs_in": list(differs.classes),
        "is_operators": differs.is_operators,
        "stored": None if stored is None else price_view(stored),
        "listed": None if listed is None else price_view(listed),
    }


def _rates_view(rates: Rates) -> dict[str, str | None]:
    """US dollars a million tokens, as text: a float would not be exact."""
    return {name: per_mtok(getattr(rates, name)) for name in Rates.__slots__}


def per_mtok(rate: Money | None) -> str | None:
    if rate is None:
        return None
    return _plain(rate.usd * _TOKENS_PER_MTOK)


def _plain(usd: Decimal) -> str:
    return f"{usd.normalize() + Decimal(0):f}"


def re_rating_view(found: ReRating) -> dict[str, Any]:
    return {
        "calls": found.calls,
        "changed": found.changed,
        "unpriced": found.unpriced,
        "cost_usd_before": str(found.cost_before),
        "cost_usd_after": str(found.cost_after),
        "difference_usd": str(found.difference),
    }
