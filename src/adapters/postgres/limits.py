from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.limits import CarriedLimits
from ...domain.errors import NotFound
from ...domain.limits import Limit
from ...domain.organizations import with_limit
from ...domain.scopes import Scope, ScopeKind
from .database import Database
from .limit_rows import put_limits, read_limits
from .tables.organizations import ORGANIZATIONS, TEAMS, VIRTUAL_KEYS

_CARRIERS: dict[ScopeKind, tuple[Table, str]] = {
    ScopeKind.ORGANIZATION: (ORGANIZATIONS, "organization"),
    ScopeKind.TEAM: (TEAMS, "team"),
    ScopeKind.KEY: (VIRTUAL_KEYS, "virtual key"),
}


class PostgresLimits:
    """Each method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def set(self, limit: Limit) -> None:
        async with self._database.changing() as connection:
            present = await _of(connection, limit.scope)
            await put_limits(connection, limit.scope, with_limit(present, limit))

    async def lift(self, scope: Scope, limit_id: UUID) -> bool:
        async with self._database.changing() as connection:
            present = await _of(connection, scope)
            left = [limit for limit in present if limit.id != limit_id]
            await put_limits(connection, scope, left)
            return len(left) < len(present)


async def _of(connection: AsyncConnection, scope: Scope) -> Sequence[Limit]:
    """Nobody else changes them until the end. Raises NotFound."""
    table, what = _CARRIERS[scope.kind]
    held = await connection.execute(
        select(table.c.id).where(table.c.id == scope.id).with_for_update(key_share=True)
    )
    if held.first() is None:
        raise NotFound(what, str(scope.id))
    return (await read_limits(connection, [scope]))[scope]


_: type[CarriedLimits] = PostgresLimits
