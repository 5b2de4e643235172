"""Organizations, teams and limits as plain JSON."""

from typing import Any

from ..application.organizations.limit_order import CALENDAR, EVER, SLIDING
from ..domain.limits import Limit, Sliding
from ..domain.money import Money
from ..domain.organizations import Organization, Team
from ..domain.periods import Period

_WORDS = {seconds: word for word, seconds in SLIDING.items()}
_CALENDAR = {every: word for word, every in CALENDAR.items()}


def organization_view(organization: Organization) -> dict[str, Any]:
    return {
        "id": str(organization.id),
        "name": organization.name,
        "allowed_models": list(organization.allowed_models),
        "limits": [limit_view(limit) for limit in organization.limits],
    }


def team_view(team: Team) -> dict[str, Any]:
    organization = team.organization
    return {
        "id": str(team.id),
        "name": team.name,
        "organization": organization and organization.name,
        "organization_id": organization and str(organization.id),
        "allowed_models": list(team.allowed_models),
        "limits": [limit_view(limit) for limit in team.limits],
    }


def limit_view(limit: Limit) -> dict[str, Any]:
    """As it may be given back: `id` tells it apart, and says what it counts."""
    window = limit.window
    on_calendar = isinstance(window, Period) and window.every in _CALENDAR
    return {
        "id": str(limit.id),
        "measure": str(limit.measure),
        "amount": str(Money(limit.amount)) if limit.is_budget else str(limit.amount),
        "per": _per(window),
        "zone": window.zone if isinstance(window, Period) and on_calendar else None,
        "model": limit.model,
        "end_user": limit.end_user,
        "tag": limit.tag,
        "soft": limit.soft,
    }


def _per(window: Sliding | Period) -> str | int:
    if isinstance(window, Sliding):
        return _WORDS.get(window.seconds, window.seconds)
    return _CALENDAR.get(window.every, EVER)
