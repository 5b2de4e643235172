from typing import Protocol
from uuid import UUID

from ...domain.limits import Limit
from ...domain.scopes import Scope


class CarriedLimits(Protocol):
    """Limits one by one, so that of several that are set at once none is lost. Not those that are a
    key's requests and tokens a minute."""

    async def set(self, limit: Limit) -> None:
        """Adds it to its scope's, or takes the place of the one with its id. Raises NotFound where
        there is nobody to carry it, InvalidRequest where it is one too many."""
        ...

    async def lift(self, scope: Scope, limit_id: UUID) -> bool:
        """Whether there was such a limit. Raises NotFound where there is nobody to carry it."""
        ...
