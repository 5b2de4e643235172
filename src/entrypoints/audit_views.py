"""Changes of the configuration as plain JSON."""

from collections.abc import Mapping
from typing import Any

from ..domain.audit import Change
from .views import moment

_EXACT_UP_TO = 2**53


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
