from collections.abc import Sequence
from typing import Annotated, Any

import typer

from ...domain.fields import count_in
from ...domain.routes import ModelRoute, Unbounded, Unsupported
from .. import views
from ..checked import checked
from ..http.management.bodies import RouteBody
from .output import JsonFlag, show, show_one, tell
from .run import checking, with_gateway

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
    told = {
        "aliases": alias or [],
        "targets": read_targets(target),
        "output_cap": output_cap,
        "unsupported": unsupported,
        "unbounded": unbounded,
        "shrink": shrink,
    }
    with checking():
        route = checked(RouteBody, told).route(model)
    show_one(views.route_view(with_gateway(lambda g: g.define_route(route))), as_json=as_json)


@app.command("remove")
def remove_route(model: ModelArg) -> None:
    """Forget a route."""
    with_gateway(lambda g: g.define_route.remove(model))
    tell(f"removed {model}")


def read_targets(places: Sequence[str]) -> list[dict[str, Any]]:
    """As the fields of a route's `targets`."""
    return [
        _target(text.strip(), order)
        for order, place in enumerate(places)
        for text in place.split(",")
    ]


def _target(text: str, order: int) -> dict[str, Any]:
    path, at, told = text.rpartition("@")
    if not at:
        path, told = text, "1"
    provider, _, model = path.partition("/")
    weight = count_in(told)
    if not provider or not model or weight is None:
        raise typer.BadParameter(f"{text!r} is not PROVIDER/MODEL or PROVIDER/MODEL@WEIGHT")
    return {"provider": provider, "model": model, "order": order, "weight": weight}


def _places(route: ModelRoute) -> list[str]:
    places: dict[int, list[str]] = {}
    for target in route.targets:
        share = f"@{target.weight}" if target.weight > 1 else ""
        places.setdefault(target.order, []).append(f"{target.provider}/{target.model}{share}")
    return [", ".join(places[order]) for order in sorted(places)]
