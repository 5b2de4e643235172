from quart import Blueprint, Response

from ....application.gateway import Gateway
from ....application.organizations.change_organization import OrganizationChange
from ....application.organizations.change_team import TeamChange
from ....application.organizations.define_organization import OrganizationOrder
from ....application.organizations.define_team import TeamOrder
from ...organization_views import organization_view, team_view
from ..bodies import read
from . import limit_bodies
from .answers import as_json, as_list, check_args


def add_organizations(blueprint: Blueprint, gateway: Gateway) -> None:
    """Named by their ids or their names."""

    @blueprint.get("/organizations")
    async def list_organizations() -> Response:
        check_args()
        return as_list([organization_view(each) for each in await gateway.list_organizations()])

    @blueprint.post("/organizations")
    async def define_organization() -> Response:
        body = await read(limit_bodies.OrganizationBody)
        order = OrganizationOrder(**body.given())
        return as_json(organization_view(await gateway.define_organization(order)), 201)

    @blueprint.get("/organizations/<named>")
    async def one_organization(named: str) -> Response:
        return as_json(organization_view(await gateway.list_organizations.one(named)))

    @blueprint.patch("/organizations/<named>")
    async def change_organization(named: str) -> Response:
        body = await read(limit_bodies.OrganizationChangeBody)
        change = OrganizationChange(**body.given())
        return as_json(organization_view(await gateway.change_organization(named, change)))

    @blueprint.delete("/organizations/<named>")
    async def remove_organization(named: str) -> Response:
        return as_json({"removed": (await gateway.remove_organization(named)).name})


def add_teams(blueprint: Blueprint, gateway: Gateway) -> None:
    """Named by their ids, or by names that only one of them has."""

    @blueprint.get("/teams")
    async def list_teams() -> Response:
        check_args()
        return as_list([team_view(each) for each in await gateway.list_organizations.teams()])

    @blueprint.post("/teams")
    async def define_team() -> Response:
        body = await read(limit_bodies.TeamBody)
        order = TeamOrder(**body.given())
        return as_json(team_view(await gateway.define_team(order)), 201)

    @blueprint.get("/teams/<named>")
    async def one_team(named: str) -> Response:
        return as_json(team_view(await gateway.list_organizations.team(named)))

    @blueprint.patch("/teams/<named>")
    async def change_team(named: str) -> Response:
        body = await read(limit_bodies.TeamChangeBody)
        given = body.given()
        leaves = "organization" in given and body.organization is None
        change = TeamChange(**given, leaves=leaves)
        return as_json(team_view(await gateway.change_team(named, change)))

    @blueprint.delete("/teams/<named>")
    async def remove_team(named: str) -> Response:
        return as_json({"removed": (await gateway.remove_team(named)).path})
