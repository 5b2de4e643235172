from dataclasses import dataclass
from uuid import UUID

from ...domain.errors import NotFound
from ...domain.scopes import Scope
from ..ports.limits import CarriedLimits


@dataclass(frozen=True, slots=True)
class LiftLimit:
    """Open to administrators. Takes a limit from an organization, a team or a key. Takes effect on
    every node within one second. Raises NotFound."""

    limits: CarriedLimits

    async def __call__(self, scope: Scope, limit_id: UUID) -> None:
        if not await self.limits.lift(scope, limit_id):
            raise NotFound("limit", str(limit_id))
