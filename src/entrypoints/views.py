"""Domain values as plain JSON, for the management endpoints and the command line."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from ..application.ledger.verify_ledger import Verdict
from ..application.ports.ledger import SpendLine
from ..domain.corrections import BookedCall
from ..domain.keys import VirtualKey
from ..domain.ledger import LedgerEntry
from ..domain.providers import Provider
from ..domain.routes import ModelRoute
from ..domain.usage import TOKEN_CLASSES
from .organization_views import limit_view

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
        "unbounded": str(route.unbounded),
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


SPEND_COLUMNS = (
    *("name", "calls", "prompt_tokens", "completion_tokens", "cost_usd"),
    *("unpriced_calls", "estimated_calls"),
)
ENTRY_COLUMNS = (
    *("request_id", "at", "key_id", "team_id", "organization_id", "end_user", "tag"),
    *("model", "provider", "upstream_model", "outcome", "error", "attempts", "streamed"),
    *("duration_ms", "first_byte_ms"),
    *(f"usage.{name}" for name in TOKEN_CLASSES),
    *("units", "service", "cost_usd", "priced", "estimated"),
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
        **_used(usage.counts),
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
                **_used(correction.usage.by_class),
                "cost_usd": str(correction.cost),
            }
            for correction in call.corrections
        ],
        "comes_to": settled_view(call),
    }


def settled_view(call: BookedCall) -> dict[str, Any]:
    """What it comes to by now, corrections included."""
    return {
        "usage": call.usage.counts,
        "cost_usd": str(call.cost),
        "priced": call.priced,
        "estimated": call.estimated,
    }


def _used(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """Apart: what is no token must not be added to tokens."""
    tokens = {name: count for name, count in counts.items() if name in TOKEN_CLASSES}
    return {
        "usage": tokens,
        "units": {name: count for name, count in counts.items() if name not in tokens},
    }
