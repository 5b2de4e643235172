"""Limits as they are ordered for whoever carries them."""

from collections.abc import Sequence
from uuid import UUID

from ...domain.errors import InvalidRequest
from ...domain.limits import Limit, Limits
from ...domain.organizations import check_number
from ...domain.scopes import Scope, ScopeKind
from .limit_order import LimitOrder

_USUAL = Limits(requests_per_minute=0, tokens_per_minute=0)


def ordered_limits(orders: Sequence[LimitOrder], scope: Scope) -> tuple[Limit, ...]:
    """Raises InvalidRequest, naming the field as `limits.0.amount`."""
    check_number(orders, scope)
    limits: dict[UUID, Limit] = {}
    for index, order in enumerate(orders):
        at = f"limits.{index}"
        limit = ordered_limit(order, scope, at)
        if limit.id in limits:
            raise InvalidRequest(
                f"'{at}' counts the same calls in the same way as one before it.", param=at
            )
        limits[limit.id] = limit
    return tuple(limits.values())


def ordered_limit(order: LimitOrder, scope: Scope, at: str = "") -> Limit:
    """Raises InvalidRequest, naming the field."""
    limit = order.limit(scope, at)
    if scope.kind is ScopeKind.KEY and any(limit.id == usual.id for usual in _USUAL.of(scope)):
        raise InvalidRequest(
            f"A key's {limit.measure} a minute are its '{limit.measure}_per_minute'.",
            param=at or "measure",
        )
    return limit
