"""Rows of the catalogue's tables, and the domain's values that they stand for.

Whatever an operator typed that cannot be read raises MALFORMED.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from ...domain.money import Money
from ...domain.pricing import DatedPrice, ModelPrice, Rates, Service, Tier
from ...domain.providers import Provider, ProviderKind
from ...domain.routes import ModelRoute, Target, Unbounded, Unsupported
from ...domain.units import UnitRates
from ...domain.usage import TOKEN_CLASSES
from .tables.catalogue import PLAIN_CLASSES
from .times import to_ns, to_timestamp

AnyRow = Row[*tuple[Any, ...]]
MALFORMED = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError)

_MTOK = 10**6


def provider_of(row: AnyRow) -> Provider:
    return Provider(
        name=row.name,
        kind=ProviderKind(row.kind),
        base_url=row.base_url,
        needs_credential=row.needs_credential,
    )


def row_of_provider(provider: Provider) -> dict[str, object]:
    return {
        "name": provider.name,
        "kind": str(provider.kind),
        "base_url": provider.base_url,
        "needs_credential": provider.needs_credential,
    }


def route_of(row: AnyRow, targets: Sequence[AnyRow]) -> ModelRoute:
    return ModelRoute(
        model=row.model,
        aliases=tuple(row.aliases),
        output_cap=row.output_cap,
        unsupported=Unsupported(row.unsupported),
        unbounded=Unbounded(row.unbounded),
        shrink=row.shrink,
        targets=tuple(
            Target(
                provider=target.provider,
                model=target.model,
                order=target.target_order,
                weight=target.weight,
            )
            for target in targets
        ),
    )


def row_of_route(route: ModelRoute) -> dict[str, object]:
    return {
        "model": route.model,
        "aliases": list(route.aliases),
        "output_cap": route.output_cap,
        "unsupported": str(route.unsupported),
        "unbounded": str(route.unbounded),
        "shrink": route.shrink,
    }


def rows_of_targets(route: ModelRoute) -> list[dict[str, object]]:
    return [
        {
            "route": route.model,
            "position": position,
            "provider": target.provider,
            "model": target.model,
            "target_order": target.order,
            "weight": target.weight,
        }
        for position, target in enumerate(route.targets)
    ]


def price_of(row: AnyRow) -> DatedPrice:
    rates = {name: row._mapping[_column(name)] for name in TOKEN_CLASSES}
    return DatedPrice(
        provider=row.provider,
        model=row.model,
        effective_from_ns=to_ns(row.effective_from),
        price=ModelPrice(
            rates=_rates(rates),
            tiers=tuple(map(_tier, row.tiers)),
            units=_unit_rates(row.units),
            services=tuple(_service(name, own) for name, own in sorted(row.services.items())),
        ),
        source=row.source,
    )


def _service(name: str, written: Mapping[str, Any]) -> Service:
    price = ModelPrice(
        rates=_written_rates(written, {"tiers", "units"}),
        tiers=_tiers_of(written),
        units=_unit_rates(written.get("units", {})),
    )
    return Service(name, price)


def row_of_price(dated: DatedPrice) -> dict[str, object]:
    return {
        "provider": dated.provider,
        "model": dated.model,
        "effective_from": to_timestamp(dated.effective_from_ns),
        "tiers": _written_tiers(dated.price),
        "services": {
            service.name: _written_service(service.price) for service in dated.price.services
        },
        "units": _written_units(dated.price.units),
        "source": dated.source,
        **{_column(name): rate for name, rate in _per_mtok(dated.price.rates).items()},
    }


def _written_service(price: ModelPrice) -> dict[str, object]:
    written: dict[str, object] = {**_written(price.rates), "tiers": _written_tiers(price)}
    return {**written, "units": _written_units(price.units)} if price.units else written


def _written_units(rates: UnitRates) -> dict[str, str]:
    return {name: str(rate.usd) for name, rate in sorted(rates.by_name.items())}


def _unit_rates(written: Mapping[str, Any]) -> UnitRates:
    return UnitRates({name: _usd(rate) for name, rate in written.items()})


def _usd(rate: object) -> Money:
    if isinstance(rate, bool) or not isinstance(rate, str | int):
        raise TypeError("a rate must be a number")
    return Money.from_usd(rate)


def _written_tiers(price: ModelPrice) -> list[dict[str, object]]:
    return [
        {"above_prompt_tokens": tier.above_prompt_tokens, **_written(tier.rates)}
        for tier in price.tiers
    ]


def _written(rates: Rates) -> dict[str, str]:
    return {name: str(usd) for name, usd in _per_mtok(rates).items() if usd is not None}


def _tiers_of(written: Mapping[str, Any]) -> tuple[Tier, ...]:
    tiers = written.get("tiers", [])
    if not isinstance(tiers, list):
        raise TypeError("tiers must be a list")
    return tuple(map(_tier, tiers))


def _tier(written: Mapping[str, Any]) -> Tier:
    rates = _written_rates(written, {"above_prompt_tokens"})
    threshold = written["above_prompt_tokens"]
    if type(threshold) is not int:
        raise TypeError("above_prompt_tokens must be a whole number")
    return Tier(above_prompt_tokens=threshold, rates=rates)


def _written_rates(written: Mapping[str, Any], beside: set[str]) -> Rates:
    unknown = written.keys() - {*beside, *TOKEN_CLASSES}
    if unknown:
        raise ValueError(f"there is no {', '.join(sorted(unknown))}")
    return _rates({name: written.get(name) for name in TOKEN_CLASSES})


def _rates(per_mtok: Mapping[str, Decimal | str | int | None]) -> Rates:
    """A rate that is missing is plain input's, or plain output's; those two must be there."""
    plain = {name: _rate(per_mtok[name]) for name in PLAIN_CLASSES}
    others = {
        name: None if rate is None else _rate(rate)
        for name, rate in per_mtok.items()
        if name not in PLAIN_CLASSES
    }
    return Rates(input=plain["input"], output=plain["output"], **others)


def _rate(usd_per_mtok: Decimal | str | int | None) -> Money:
    if usd_per_mtok is None or isinstance(usd_per_mtok, bool):
        raise ValueError("a rate must be a number")
    pico, rest = divmod(Money.from_usd(usd_per_mtok).pico, _MTOK)
    if rest:
        raise ValueError(f"{usd_per_mtok} has more than six decimals")
    return Money(pico)


def _per_mtok(rates: Rates) -> dict[str, Decimal | None]:
    given: dict[str, Money | None] = {name: getattr(rates, name) for name in TOKEN_CLASSES}
    return {name: None if rate is None else (rate * _MTOK).usd for name, rate in given.items()}


def _column(token_class: str) -> str:
    return f"{token_class}_usd_per_mtok"
