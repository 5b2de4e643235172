from typing import Annotated

import typer

from ...domain.routes import ModelRoute, Target, Unbounded, Unsupported
from .. import views
from .output import JsonFlag, err, out, show, show_one
from .run import with_gateway

app = typer.Typer(help="Routes: who answers for a model.", no_args_is_help=True)

ModelArg = Annotated[str, typer.Argument(metavar="MODEL", help="A model, with one `*` perhaps.")]
_TARGET_HELP = "PROVIDER/MODEL, tried in the order given; PROVIDER/MODEL@WEIGHT,… share one place."


@app.command("list")
def list_routes(as_json: JsonFlag = False) -> None:
    """Every route, and its targets in their order."""
    catalogue = with_gateway(lambda g: g.catalogues.load())
    rows = [views.route_view(route) for route in catalogue.routes]
    if not as_json:
        for row, route in zip(rows, catalogue.routes, strict=True):
            row["targets"] = " → ".join(_places(route))
    columns = ("model", "aliases", "targets", "output_cap", "unsupported", "unbounded", "shrink")
    show(rows, columns, as_json=as_json)


@app.command("set")
def set_route(
    model: ModelArg,
    target: Annotated[list[str], typer.Option("--to", help=_TARGET_HELP)],
    alias: Annotated[list[str] | None, typer.Option(help="Another name; may be repeated.")] = None,
    output_cap: Annotated[
        int | None, typer.Option(min=1, help="Tokens, for calls without a cap of their own.")
    ] = None,
    unsupported: Annotated[
        Unsupported, typer.Option(help="What becomes of fields that a target cannot take.")
    ] = Unsupported.DROP,
    unbounded: Annotated[
        Unbounded,
        typer.Option(help="What becomes of calls that have no bound, where limits count them."),
    ] = Unbounded.REFUSE,
    shrink: Annotated[
        bool, typer.Option("--shrink", help="Lower an output cap that does not fit the limits.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Add a route, or replace the one of that model."""
    try:
        route = ModelRoute(
            model=model,
            aliases=tuple(alias or ()),
            targets=tuple(
                read_target(text, order)
                for order, place in enumerate(target)
                for text in place.split(",")
            ),
            output_cap=output_cap,
            unsupported=unsupported,
            unbounded=unbounded,
            shrink=shrink,
        )
    except ValueError as error:
        err.print(f"[bold red]error[/bold red] {error}")
        raise typer.Exit(2) from error
    show_one(views.route_view(with_gateway(lambda g: g.define_route(route))), as_json=as_json)


@app.command("remove")
def remove_route(model: ModelArg) -> None:
    """Forget a route."""
    with_gateway(lambda g: g.define_route.remove(model))
    out.print(f"removed {model}")


def read_target(text: str, order: int) -> Target:
    path, at, weight = text.strip().rpartition("@")
    if not at:
        path, weight = text.strip(), "1"
    provider, slash, model = path.partition("/")
    if not slash or not provider or not model or not weight.isdecimal():
        raise ValueError(f"{text!r} is not PROVIDER/MODEL or PROVIDER/MODEL@WEIGHT")
    return Target(provider=provider, model=model, order=order, weight=int(weight))


def _places(route: ModelRoute) -> list[str]:
    places: dict[int, list[str]] = {}
    for target in route.targets:
        share = f"@{target.weight}" if target.weight > 1 else ""
        places.setdefault(target.order, []).append(f"{target.provider}/{target.model}{share}")
    return [", ".join(places[order]) for order in sorted(places)]
