"""Where a caller stands, as plain JSON. Limits are named as in the headers."""

from typing import Any

from ...domain.keys import VirtualKey
from ...domain.limits import Limit, Refusal, Standing
from ..organization_views import limit_view
from ..views import moment
from .rate_limits import policy_name

_NS = 10**9


def standing_view(
    key: VirtualKey, limit: Limit, standing: Standing | None, at_ns: int
) -> dict[str, Any]:
    """`used` and what follows are null where it is not known for whom."""
    told = standing and (standing.used, standing.remaining, standing.reset_ns)
    used, remaining, reset_ns = told or (None, None, None)
    return {
        "scope": str(limit.scope.kind),
        "scope_name": key.name_of(limit.scope),
        "name": policy_name(limit),
        **limit_view(limit),
        "used": _told(limit, used),
        "remaining": _told(limit, remaining),
        "resets_at": None if reset_ns is None else moment(at_ns + reset_ns),
    }


def refusal_view(key: VirtualKey, refusal: Refusal, at_ns: int) -> dict[str, Any]:
    limit, wait_ns = refusal.limit, refusal.retry_after_ns
    return {
        "scope": str(limit.scope.kind),
        "scope_name": key.name_of(limit.scope),
        "name": policy_name(limit),
        "limit": limit.name,
        "amount": _told(limit, limit.amount),
        "used": _told(limit, refusal.used),
        "requested": _told(limit, refusal.asked),
        "retry_after_s": None if wait_ns is None else wait_ns / _NS,
        "fits_at": None if wait_ns is None else moment(at_ns + wait_ns),
    }


def _told(limit: Limit, amount: int | None) -> str | None:
    """In dollars, or a number: as text, since some have more digits than JavaScript's numbers."""
    return None if amount is None else limit.told(amount).removeprefix("$")
