"""Domain values as plain JSON, for the management endpoints and the command line."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from ..application.ledger.verify_ledger import Verdict
from ..application.ledger.re_rate import ReRating
from ..application.ports.ledger import SpendLine
from ..domain.audit import Change
from ..domain.corrections import BookedCall
from ..domain.keys import VirtualKey
from ..domain.ledger import LedgerEntry
from ..domain.money import Money
from ..domain.price_differences import PriceDifference
from ..domain.pricing import DatedPrice, ModelPrice, Rates
from ..domain.providers import Provider
from ..domain.routes import ModelRoute
from ..domain.usage import TOKEN_CLASSES
from .organization_views import limit_view

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TOKENS_PER_MTOK = 1_000_000
_EXACT_UP_TO = 2**53


def moment(ns: int | None) -> str | None:
    """ISO 8601 in UTC, to the microsecond."""
    if ns is None:
        return None
    return (_EPOCH + timedelta(microseconds=ns // 1000)).isoformat().replace("+00:00", "Z")


def key_view(key: VirtualKey, now_ns: int) -> dict[str, Any]:
    return {
        "id": str(key.id),
        "name": key.name,
        "hint": f"…{key.hint}",
        "state": str(key.state(now_ns)),
        "requests_per_minute": key.limits.requests_per_minute,
        "tokens_per_minute": key.limits.tokens_per_minute,
        "limits": [limit_view(limit) for limit in key.further_limits],
        "team": key.team and key.team.path,
        "team_id": key.team and str(key.team.id),
        "allowed_models": list(key.allowed_models),
        "created_at": moment(key.created_at_ns),
        "expires_at": moment(key.expires_at_ns),
        "revoked_at": moment(key.revoked_at_ns),
    }


def provider_view(provider: Provider) -> dict[str, Any]:
    return {
        "name": provider.name,
        "kind": str(provider.kind),
        "base_url": provider.base_url,
        "needs_credential": provider.needs_credential,
    }


def route_view(route: ModelRoute) -> dict[str, Any]:
    return {
        "model": route.model,
        "aliases": list(route.aliases),
        "output_cap": route.output_cap,
        "unsupported": str(route.unsupported),
        "shrink": route.shrink,
        "targets": [
            {
                "provider": target.provider,
                "model": target.model,
                "order": target.order,
                "weight": target.weight,
            }
            for target in route.targets
        ],
    }


def price_view(row: DatedPrice) -> dict[str, Any]:
    return {
        "provider": row.provider,
        "model": row.model,
        "effective_from": moment(row.effective_from_ns),
        "source": row.source,
        **_rates_view(row.price.rates),
        "tiers": _tiers_view(row.price),
        "services": {
            service.name: {
                **_rates_view(service.price.rates),
                "tiers": _tiers_view(service.price),
            }
            for service in row.price.services
        },
    }


def _tiers_view(price: ModelPrice) -> list[dict[str, Any]]:
    return [
        {"above_prompt_tokens": tier.above_prompt_tokens, **_rates_view(tier.rates)}
        for tier in price.tiers
    ]


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
    return f"{(rate.usd * _TOKENS_PER_MTOK).normalize() + Decimal(0):f}"


SPEND_COLUMNS = (
    *("name", "calls", "prompt_tokens", "completion_tokens", "cost_usd"),
    *("unpriced_calls", "estimated_calls"),
)
ENTRY_COLUMNS = (
    *("request_id", "at", "key_id", "team_id", "organization_id", "end_user", "tag"),
    *("model", "provider", "upstream_model", "outcome", "error", "attempts", "streamed"),
    *("duration_ms", "first_byte_ms"),
    *(f"usage.{name}" for name in TOKEN_CLASSES),
    *("cost_usd", "priced", "estimated"),
)


def spend_view(line: SpendLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "calls": line.calls,
        "prompt_tokens": line.prompt_tokens,
        "completion_tokens": line.completion_tokens,
        "cost_usd": str(line.cost),
        "unpriced_calls": line.unpriced_calls,
        "estimated_calls": line.estimated_calls,
    }


def verdict_view(verdict: Verdict) -> dict[str, Any]:
    return {
        "is_sound": verdict.is_sound,
        "looked_at": dict(verdict.looked_at),
        "differences": [asdict(difference) for difference in verdict.differences],
    }


def entry_view(entry: LedgerEntry) -> dict[str, Any]:
    usage = entry.usage
    return {
        "request_id": f"req_{entry.request_id.hex}",
        "key_id": str(entry.key_id),
        "team_id": entry.team_id and str(entry.team_id),
        "organization_id": entry.organization_id and str(entry.organization_id),
        "end_user": entry.end_user,
        "tag": entry.tag,
        "at": moment(entry.at_ns),
        "duration_ms": entry.duration_ns // 10**6,
        "first_byte_ms": None if entry.first_byte_ns is None else entry.first_byte_ns // 10**6,
        "model": entry.model,
        "provider": entry.provider,
        "upstream_model": entry.upstream_model,
        "outcome": str(entry.outcome),
        "error": entry.error,
        "attempts": entry.attempts,
        "streamed": entry.streamed,
        "usage": {name: getattr(usage, name) for name in TOKEN_CLASSES},
        "service": usage.service,
        "cost_usd": str(entry.cost),
        "priced": entry.priced,
        "estimated": entry.estimated,
    }


def call_view(call: BookedCall) -> dict[str, Any]:
    """What the call settled at, each correction of it, and what it comes to by now."""
    return {
        **entry_view(call.entry),
        "corrections": [
            {
                "number": correction.number,
                "posted_at": moment(correction.posted_at_ns),
                "reason": correction.reason,
                "usage": dict(correction.usage.by_class),
                "cost_usd": str(correction.cost),
            }
            for correction in call.corrections
        ],
        "comes_to": {
            "usage": {name: getattr(call.usage, name) for name in TOKEN_CLASSES},
            "cost_usd": str(call.cost),
            "priced": call.priced,
            "estimated": call.estimated,
        },
    }


def re_rating_view(found: ReRating) -> dict[str, Any]:
    return {
        "calls": found.calls,
        "changed": found.changed,
        "unpriced": found.unpriced,
        "cost_usd_before": str(found.cost_before),
        "cost_usd_after": str(found.cost_after),
        "difference_usd": str(found.difference),
    }


def change_view(change: Change) -> dict[str, Any]:
    return {
        "at": moment(change.at_ns),
        "actor": change.actor,
        "role": change.role,
        "kind": change.kind,
        "name": change.name,
        "action": str(change.action),
        "before": _plain(change.before),
        "after": _plain(change.after),
        "reason": change.reason,
    }


def _plain(value: object) -> Any:
    """Numbers that JSON's readers would round are told as text."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    is_exact = value is None or isinstance(value, str | bool)
    is_exact = is_exact or (isinstance(value, int) and abs(value) <= _EXACT_UP_TO)
    return value if is_exact else f"{value}"
