"""Rows of organizations and teams, and the domain's values that they stand for."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy import ARRAY, Select, Uuid, bindparam, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.ids import OrganizationId, TeamId
from ...domain.limits import Limit
from ...domain.organizations import Organization, Team, organization_scope, team_scope
from ...domain.scopes import Scope
from .catalogue_rows import AnyRow
from .limit_rows import read_limits
from .tables.organizations import ORGANIZATIONS, TEAMS

_THEIRS = ORGANIZATIONS.c
TEAM_ROWS: Select[*tuple[object, ...]] = select(
    TEAMS.c.id,
    TEAMS.c.name,
    TEAMS.c.allowed_models,
    TEAMS.c.organization_id,
    _THEIRS.name.label("organization_name"),
    _THEIRS.allowed_models.label("organization_allowed_models"),
).select_from(TEAMS.outerjoin(ORGANIZATIONS))
_SOME_TEAMS = TEAM_ROWS.where(TEAMS.c.id == func.any(bindparam("team_ids", type_=ARRAY(Uuid))))

Limits = Mapping[Scope, tuple[Limit, ...]]


async def rows_of_teams(connection: AsyncConnection, team_ids: Sequence[UUID]) -> Sequence[AnyRow]:
    if not team_ids:
        return ()
    return (await connection.execute(_SOME_TEAMS, {"team_ids": team_ids})).all()


async def teams_of(connection: AsyncConnection, rows: Sequence[AnyRow]) -> list[Team]:
    limits = await read_limits(connection, scopes_of_teams(rows))
    return [team_of(row, limits) for row in rows]


def scopes_of_teams(rows: Sequence[AnyRow]) -> set[Scope]:
    theirs = {organization_scope(row.organization_id) for row in rows if row.organization_id}
    return theirs | {team_scope(row.id) for row in rows}


def team_of(row: AnyRow, limits: Limits) -> Team:
    organization = None
    if row.organization_id is not None:
        organization = Organization(
            id=OrganizationId(row.organization_id),
            name=row.organization_name,
            allowed_models=tuple(row.organization_allowed_models),
            limits=limits[organization_scope(row.organization_id)],
        )
    return Team(
        id=TeamId(row.id),
        name=row.name,
        organization=organization,
        allowed_models=tuple(row.allowed_models),
        limits=limits[team_scope(row.id)],
    )


def organization_of(row: AnyRow, limits: Limits) -> Organization:
    return Organization(
        id=OrganizationId(row.id),
        name=row.name,
        allowed_models=tuple(row.allowed_models),
        limits=limits[organization_scope(row.id)],
    )
