from typing import Annotated

import typer

from ...application.gateway import Gateway
from ...application.organizations.change_team import TeamChange
from ...application.organizations.define_team import TeamOrder
from ...domain.errors import NotFound
from ...domain.organizations import Team
from ..organization_views import team_view
from .organizations import EveryModelOption, ModelOption, RenameOption, allowed
from .output import JsonFlag, show, show_one, tell
from .run import with_gateway

app = typer.Typer(
    help="Teams: who has keys. Their limits: `langroute limits`.", no_args_is_help=True
)

NameArg = Annotated[str, typer.Argument(metavar="NAME", help="TEAM, ORGANIZATION/TEAM, or its id.")]


@app.command("list")
def list_teams(as_json: JsonFlag = False) -> None:
    """All of them, by organization and name."""
    found = with_gateway(lambda g: g.list_organizations.teams())
    rows = [team_view(team) for team in found]
    show(rows, ("id", "organization", "name", "allowed_models"), as_json=as_json)


@app.command("show")
def show_team(name: NameArg, as_json: JsonFlag = False) -> None:
    """One of them, with its limits."""
    found = with_gateway(lambda g: g.list_organizations.team(name))
    show_one(team_view(found), as_json=as_json)


@app.command("set")
def set_team(
    name: NameArg,
    rename: RenameOption = None,
    move_to: Annotated[str | None, typer.Option(help="Another organization.")] = None,
    leave: Annotated[bool, typer.Option(help="Take it out of its organization.")] = False,
    model: ModelOption = None,
    every_model: EveryModelOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Add a team, or change the one of that name. What is not given stays."""
    models = allowed(model, every_model=every_model)

    async def use(gateway: Gateway) -> Team:
        try:
            change = TeamChange(
                name=rename, organization=move_to, leaves=leave, allowed_models=models
            )
            return await gateway.change_team(name, change)
        except NotFound:
            if rename is not None:
                raise
            organization, _, own = name.rpartition("/")
            order = TeamOrder(
                name=own,
                organization=move_to or organization or None,
                allowed_models=models or (),
            )
            return await gateway.define_team(order)

    show_one(team_view(with_gateway(use)), as_json=as_json)


@app.command("remove")
def remove_team(name: NameArg) -> None:
    """Forget a team that has no keys but revoked ones."""
    removed = with_gateway(lambda g: g.remove_team(name))
    tell(f"removed {removed.path}")
