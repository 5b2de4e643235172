from dataclasses import dataclass

from ...domain.limits import Limit
from ...domain.scopes import Scope
from ..ports.limits import CarriedLimits
from .carried_limits import ordered_limit
from .limit_order import LimitOrder


@dataclass(frozen=True, slots=True)
class SetLimit:
    """Open to administrators. Gives an organization, a team or a key one more limit, or changes how
    much is allowed by the one that counts the same: what was used stays counted. Takes effect on
    every node within one second. Raises NotFound, InvalidRequest."""

    limits: CarriedLimits

    async def __call__(self, scope: Scope, order: LimitOrder) -> Limit:
        limit = ordered_limit(order, scope)
        await self.limits.set(limit)
        return limit
