from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from ...application.ports.limits import CarriedLimits
from ...domain.errors import NotFound
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey
from ...domain.limits import Limit
from ...domain.organizations import Organization, Team, with_limit
from ...domain.scopes import Scope, ScopeKind
from .organizations import MemoryOrganizations
from .virtual_keys import MemoryKeys


class MemoryLimits:
    """For a gateway that is embedded without a database."""

    def __init__(self, keys: MemoryKeys, organizations: MemoryOrganizations) -> None:
        self._keys = keys
        self._organizations = organizations

    async def set(self, limit: Limit) -> None:
        carrier = await self._carrier(limit.scope)
        await self._put(carrier, with_limit(_limits_of(carrier), limit))

    async def lift(self, scope: Scope, limit_id: UUID) -> bool:
        carrier = await self._carrier(scope)
        present = _limits_of(carrier)
        left = [limit for limit in present if limit.id != limit_id]
        await self._put(carrier, left)
        return len(left) < len(present)

    async def _carrier(self, scope: Scope) -> Organization | Team | VirtualKey:
        found: Organization | Team | VirtualKey | None
        what = str(scope.kind)
        match scope.kind:
            case ScopeKind.ORGANIZATION:
                found = self._organizations.organization(scope.id)
            case ScopeKind.TEAM:
                found = self._organizations.team(scope.id)
            case ScopeKind.KEY:
                what, found = "virtual key", await self._keys.by_id(KeyId(scope.id))
        if found is None:
            raise NotFound(what, str(scope.id))
        return found

    async def _put(
        self, carrier: Organization | Team | VirtualKey, limits: Iterable[Limit]
    ) -> None:
        new = tuple(limits)
        match carrier:
            case Organization():
                await self._organizations.put(replace(carrier, limits=new))
            case Team():
                await self._organizations.put_team(replace(carrier, limits=new))
            case VirtualKey():
                await self._keys.put(replace(carrier, further_limits=new))


def _limits_of(carrier: Organization | Team | VirtualKey) -> tuple[Limit, ...]:
    return carrier.further_limits if isinstance(carrier, VirtualKey) else carrier.limits


_: type[CarriedLimits] = MemoryLimits
