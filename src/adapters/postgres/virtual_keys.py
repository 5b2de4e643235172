from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.virtual_keys import VirtualKeys
from ...domain.errors import NotFound
from ...domain.ids import KeyId
from ...domain.keys import VirtualKey
from ...domain.limits import Limit, Limits
from ...domain.organizations import Team, key_scope
from .catalogue_rows import AnyRow
from .database import Database
from .limit_rows import put_limits, read_limits
from .organization_rows import rows_of_teams, scopes_of_teams, team_of
from .organizations import hold_team
from .tables.organizations import VIRTUAL_KEYS
from .times import to_ns, to_ns_or_none, to_timestamp, to_timestamp_or_none

_COLUMNS = [column for column in VIRTUAL_KEYS.c if not column.name.startswith("total_")]
_READ = select(*_COLUMNS)


class PostgresKeys:
    """Each method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_digest(self, digest: bytes) -> VirtualKey | None:
        return await self._one(VIRTUAL_KEYS.c.digest == digest)

    async def by_id(self, key_id: KeyId) -> VirtualKey | None:
        return await self._one(VIRTUAL_KEYS.c.id == key_id)

    async def put(self, key: VirtualKey) -> None:
        async with self._database.changing() as connection:
            if key.team is not None:
                await hold_team(connection, key.team.id)
            await _put(connection, key, is_new=True)

    async def change(self, key_id: KeyId, change: Callable[[VirtualKey], VirtualKey]) -> VirtualKey:
        async with self._database.changing() as connection:
            locked = _READ.where(VIRTUAL_KEYS.c.id == key_id).with_for_update(key_share=True)
            key = next(
                iter(await _keys(connection, (await connection.execute(locked)).all())), None
            )
            if key is None:
                raise NotFound("virtual key", str(key_id))
            changed = change(key)
            # Its own does not go away before the key does, and whoever removes one waits for keys.
            if changed.team is not None and changed.team != key.team:
                await hold_team(connection, changed.team.id)
            await _put(connection, changed, others=_other_limits(key, changed))
            return changed

    async def page(self, after: KeyId | None, size: int) -> Sequence[VirtualKey]:
        query = _READ.order_by(VIRTUAL_KEYS.c.id).limit(size)
        if after is not None:
            query = query.where(VIRTUAL_KEYS.c.id > after)
        async with self._database.reading() as connection:
            return await _keys(connection, (await connection.execute(query)).all())

    async def _one(self, which: ColumnElement[bool]) -> VirtualKey | None:
        async with self._database.reading() as connection:
            rows = (await connection.execute(_READ.where(which))).all()
            keys = await _keys(connection, rows)
        return keys[0] if keys else None


def _other_limits(before: VirtualKey, after: VirtualKey) -> list[UUID]:
    """Of requests and tokens a minute, those that only one of them has: see `put_limits`."""
    had = {limit.id for limit in before.limits.of(before.scope)}
    return sorted(had ^ {limit.id for limit in after.limits.of(after.scope)})


async def _put(
    connection: AsyncConnection,
    key: VirtualKey,
    *,
    is_new: bool = False,
    others: Sequence[UUID] = (),
) -> None:
    added = insert(VIRTUAL_KEYS).values(_row(key))
    new: dict[str, ColumnElement[object]] = {
        column.name: added.excluded[column.name] for column in _COLUMNS
    }
    # However late somebody's change comes that was begun before the revocation.
    new["revoked_at"] = func.coalesce(VIRTUAL_KEYS.c.revoked_at, new["revoked_at"])
    await connection.execute(
        added.on_conflict_do_update(index_elements=[VIRTUAL_KEYS.c.id], set_=new)
    )
    await put_limits(connection, key.scope, key.further_limits, is_new=is_new, others=others)


async def _keys(connection: AsyncConnection, rows: Sequence[AnyRow]) -> list[VirtualKey]:
    """With their teams, organizations, and all limits: two more queries, however many keys."""
    if not rows:
        return []
    their_teams = {row.team_id for row in rows if row.team_id is not None}
    team_rows = await rows_of_teams(connection, sorted(their_teams))
    scopes = scopes_of_teams(team_rows) | {key_scope(row.id) for row in rows}
    limits = await read_limits(connection, scopes)
    teams: dict[UUID, Team] = {row.id: team_of(row, limits) for row in team_rows}
    return [_key(row, teams.get(row.team_id), limits[key_scope(row.id)]) for row in rows]


def _key(row: AnyRow, team: Team | None, further_limits: tuple[Limit, ...]) -> VirtualKey:
    return VirtualKey(
        id=KeyId(row.id),
        name=row.name,
        digest=row.digest,
        hint=row.hint,
        limits=Limits(
            requests_per_minute=row.requests_per_minute,
            tokens_per_minute=row.tokens_per_minute,
        ),
        further_limits=further_limits,
        team=team,
        allowed_models=tuple(row.allowed_models),
        created_at_ns=to_ns(row.created_at),
        expires_at_ns=to_ns_or_none(row.expires_at),
        revoked_at_ns=to_ns_or_none(row.revoked_at),
    )


def _row(key: VirtualKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "digest": key.digest,
        "hint": key.hint,
        "requests_per_minute": key.limits.requests_per_minute,
        "tokens_per_minute": key.limits.tokens_per_minute,
        "allowed_models": list(key.allowed_models),
        "created_at": to_timestamp(key.created_at_ns),
        "expires_at": to_timestamp_or_none(key.expires_at_ns),
        "revoked_at": to_timestamp_or_none(key.revoked_at_ns),
        "team_id": key.team and key.team.id,
    }


_: type[VirtualKeys] = PostgresKeys
