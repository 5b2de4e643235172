from uuid import UUID

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.limits import CarriedLimits
from ...domain.errors import NotFound
from ...domain.limits import Limit
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
            present[limit.id] = limit
            await put_limits(connection, limit.scope, present.values())

    async def lift(self, scope: Scope, limit_id: UUID) -> bool:
        async with self._database.changing() as connection:
            present = await _of(connection, scope)
            was_there = present.pop(limit_id, None) is not None
            await put_limits(connection, scope, present.values())
            return was_there


async def _of(connection: AsyncConnection, scope: Scope) -> dict[UUID, Limit]:
    """Nobody else changes them until the end. Raises NotFound."""
    table, what = _CARRIERS[scope.kind]
    held = await connection.execute(
        select(table.c.id).where(table.c.id == scope.id).with_for_update(key_share=True)
    )
    if held.first() is None:
        raise NotFound(what, str(scope.id))
    return {limit.id: limit for limit in (await read_limits(connection, [scope]))[scope]}


_: type[CarriedLimits] = PostgresLimits
