from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import ColumnElement, String, cast, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.organizations import HasMembers, NameTaken, Organizations
from ...domain.errors import NotFound
from ...domain.ids import OrganizationId, TeamId
from ...domain.organizations import Organization, Team, organization_scope, team_scope
from .catalogue_rows import AnyRow
from .database import Database
from .failures import is_there_already
from .limit_rows import put_limits, read_limits
from .organization_rows import TEAM_ROWS, organization_of, rows_of_teams, teams_of
from .tables.organizations import ORGANIZATIONS, TEAMS, VIRTUAL_KEYS

_TOLD = 10
_KEY = VIRTUAL_KEYS.c


class PostgresOrganizations:
    """Each method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def organizations(self) -> Sequence[Organization]:
        async with self._database.reading() as connection:
            rows: Sequence[AnyRow] = (await connection.execute(select(ORGANIZATIONS))).all()
            limits = await read_limits(connection, [organization_scope(row.id) for row in rows])
        found = (organization_of(row, limits) for row in rows)
        # Not sorted by Postgres, whose alphabets differ from one database to the next.
        return sorted(found, key=lambda organization: organization.name)

    async def teams(self) -> Sequence[Team]:
        async with self._database.reading() as connection:
            rows = (await connection.execute(TEAM_ROWS)).all()
            found = await teams_of(connection, rows)
        return sorted(found, key=lambda team: team.path)

    async def put(self, organization: Organization) -> None:
        async with self._database.changing() as connection:
            await _put(connection, organization)

    async def put_team(self, team: Team) -> None:
        async with self._database.changing() as connection:
            if team.organization is not None:
                await _hold_organization(connection, team.organization.id)
            await _put_team(connection, team)

    async def change(
        self, organization_id: OrganizationId, change: Callable[[Organization], Organization]
    ) -> Organization:
        this = select(ORGANIZATIONS).where(ORGANIZATIONS.c.id == organization_id)
        async with self._database.changing() as connection:
            row = (await connection.execute(this.with_for_update(key_share=True))).first()
            if row is None:
                raise NotFound("organization", str(organization_id))
            limits = await read_limits(connection, [organization_scope(organization_id)])
            changed = change(organization_of(row, limits))
            await _put(connection, changed)
            return changed

    async def change_team(self, team_id: TeamId, change: Callable[[Team], Team]) -> Team:
        this = select(TEAMS.c.id).where(TEAMS.c.id == team_id)
        async with self._database.changing() as connection:
            # Read after it is locked: who waits for a lock on a join may get halves of two moments.
            await connection.execute(this.with_for_update(key_share=True))
            found = await teams_of(connection, await rows_of_teams(connection, [team_id]))
            if not found:
                raise NotFound("team", str(team_id))
            changed = change(found[0])
            if changed.organization is not None:
                await _hold_organization(connection, changed.organization.id)
            await _put_team(connection, changed)
            return changed

    async def remove(self, organization_id: OrganizationId) -> bool:
        this = ORGANIZATIONS.c.id == organization_id
        teams = TEAMS.c.organization_id == organization_id
        async with self._database.changing() as connection:
            # Until the end, no team can join it.
            await connection.execute(select(ORGANIZATIONS.c.id).where(this).with_for_update())
            await _check_empty(connection, TEAMS.c.name, teams)
            await put_limits(connection, organization_scope(organization_id), ())
            return (await connection.execute(delete(ORGANIZATIONS).where(this))).rowcount > 0

    async def remove_team(self, team_id: TeamId) -> bool:
        this, its_keys = TEAMS.c.id == team_id, _KEY.team_id == team_id
        name = func.coalesce(func.nullif(_KEY.name, ""), cast(_KEY.id, String))
        async with self._database.changing() as connection:
            await connection.execute(select(TEAMS.c.id).where(this).with_for_update())
            await _check_empty(connection, name, its_keys & _KEY.revoked_at.is_(None))
            # In the order in which the ledger's writers lock them.
            left = select(_KEY.id).where(its_keys).order_by(_KEY.id)
            await connection.execute(left.with_for_update(key_share=True))
            await connection.execute(update(VIRTUAL_KEYS).where(its_keys).values(team_id=None))
            await put_limits(connection, team_scope(team_id), ())
            return (await connection.execute(delete(TEAMS).where(this))).rowcount > 0


async def _put(connection: AsyncConnection, organization: Organization) -> None:
    added = insert(ORGANIZATIONS).values(
        id=organization.id,
        name=organization.name,
        allowed_models=list(organization.allowed_models),
    )
    new = {name: added.excluded[name] for name in ("name", "allowed_models")}
    with _names_apart():
        await connection.execute(
            added.on_conflict_do_update(index_elements=[ORGANIZATIONS.c.id], set_=new)
        )
    await put_limits(connection, organization.scope, organization.limits)


async def _put_team(connection: AsyncConnection, team: Team) -> None:
    """Its organization must be held."""
    added = insert(TEAMS).values(
        id=team.id,
        organization_id=team.organization and team.organization.id,
        name=team.name,
        allowed_models=list(team.allowed_models),
    )
    changing = ("organization_id", "name", "allowed_models")
    new = {name: added.excluded[name] for name in changing}
    with _names_apart():
        await connection.execute(added.on_conflict_do_update(index_elements=[TEAMS.c.id], set_=new))
    await put_limits(connection, team.scope, team.limits)


async def hold_team(connection: AsyncConnection, team_id: TeamId) -> None:
    """So that it does not go away before the end. Raises NotFound."""
    this = select(TEAMS.c.id).where(TEAMS.c.id == team_id)
    held = await connection.execute(this.with_for_update(read=True, key_share=True))
    if held.first() is None:
        raise NotFound("team", str(team_id))


async def _hold_organization(connection: AsyncConnection, id_: OrganizationId) -> None:
    this = select(ORGANIZATIONS.c.id).where(ORGANIZATIONS.c.id == id_)
    held = await connection.execute(this.with_for_update(read=True, key_share=True))
    if held.first() is None:
        raise NotFound("organization", str(id_))


async def _check_empty(
    connection: AsyncConnection, name: ColumnElement[str], which: ColumnElement[bool]
) -> None:
    members = (await connection.scalars(select(name).where(which).limit(_TOLD))).all()
    if members:
        raise HasMembers(sorted(members))


@contextmanager
def _names_apart() -> Iterator[None]:
    try:
        yield
    except IntegrityError as error:
        if is_there_already(error):
            raise NameTaken from error
        raise


_: type[Organizations] = PostgresOrganizations
