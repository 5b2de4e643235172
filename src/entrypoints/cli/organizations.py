from typing import Annotated

import typer

from ...application.gateway import Gateway
from ...application.organizations.change_organization import OrganizationChange
from ...application.organizations.define_organization import OrganizationOrder
from ...domain.errors import NotFound
from ...domain.organizations import Organization
from ..organization_views import organization_view
from .output import JsonFlag, show, show_one, tell
from .run import with_gateway

app = typer.Typer(
    help="Organizations: who has teams. Their limits: `langroute limits`.", no_args_is_help=True
)

NameArg = Annotated[str, typer.Argument(metavar="NAME", help="Or its id.")]
ModelOption = Annotated[
    list[str] | None,
    typer.Option("--model", help="A model it may use, with one `*` perhaps; may be repeated."),
]
EveryModelOption = Annotated[bool, typer.Option(help="Let it use every model.")]
RenameOption = Annotated[str | None, typer.Option(help="A new name.")]


def allowed(model: list[str] | None, *, every_model: bool) -> tuple[str, ...] | None:
    """None where nothing was said."""
    if every_model:
        return ()
    return tuple(model) if model else None


@app.command("list")
def list_organizations(as_json: JsonFlag = False) -> None:
    """All of them, by name."""
    found = with_gateway(lambda g: g.list_organizations())
    rows = [organization_view(organization) for organization in found]
    show(rows, ("id", "name", "allowed_models"), as_json=as_json)


@app.command("show")
def show_organization(name: NameArg, as_json: JsonFlag = False) -> None:
    """One of them, with its limits."""
    found = with_gateway(lambda g: g.list_organizations.one(name))
    show_one(organization_view(found), as_json=as_json)


@app.command("set")
def set_organization(
    name: NameArg,
    rename: RenameOption = None,
    model: ModelOption = None,
    every_model: EveryModelOption = False,
    as_json: JsonFlag = False,
) -> None:
    """Add an organization, or change the one of that name. What is not given stays."""
    models = allowed(model, every_model=every_model)

    async def use(gateway: Gateway) -> Organization:
        try:
            change = OrganizationChange(name=rename, allowed_models=models)
            return await gateway.change_organization(name, change)
        except NotFound:
            if rename is not None:
                raise
            order = OrganizationOrder(name=name, allowed_models=models or ())
            return await gateway.define_organization(order)

    show_one(organization_view(with_gateway(use)), as_json=as_json)


@app.command("remove")
def remove_organization(name: NameArg) -> None:
    """Forget an organization that has no teams."""
    removed = with_gateway(lambda g: g.remove_organization(name))
    tell(f"removed {removed.name}")
