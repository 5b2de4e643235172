from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..checked import checked
from ..http.management.simulation_bodies import SimulationBody
from ..simulation_views import simulation_view
from .output import JsonFlag, out, print_json, show, show_one
from .run import checking, with_gateway
from .supposed import supposed_in, supposed_limit, supposed_price, supposed_route

_LIMITS = (
    *("scope", "name", "measure", "amount", "per", "of", "refused", "warned"),
    *("first_refused_at", "last_refused_at", "refused_tokens", "refused_cost_usd"),
)
_NARROWED = ("model", "end_user", "tag")
_LINES = (
    *("name", "calls", "admitted", "refused", "warned"),
    *("cost_usd", "simulated_cost_usd", "simulated_unpriced_calls"),
)


class By(StrEnum):
    KEY = "key"
    MODEL = "model"
    PROVIDER = "provider"


def simulate(
    since: Annotated[
        str | None,
        typer.Option("--from", metavar="MOMENT", help="Calls from then on, in UTC. Required."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="MOMENT", help="Up to then, in UTC; now if not given.")
    ] = None,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            help="As after `limits set`: 'money 5 --key ID --per day'. `none` as the amount lifts"
            " it; `*` is each key, team or organization. May be repeated."
        ),
    ] = None,
    without_limits: Annotated[
        bool, typer.Option("--without-limits", help="None of the present limits holds.")
    ] = False,
    price: Annotated[
        list[str] | None,
        typer.Option(help="As after `prices set`: 'openai gpt-4o --input 2 --output 8'."),
    ] = None,
    list_prices: Annotated[
        bool, typer.Option("--list-prices", help="What providers list goes before what is set.")
    ] = False,
    route: Annotated[
        list[str] | None,
        typer.Option(help="As after `routes set`: 'gpt-4o --to mistral/mistral-large-latest'."),
    ] = None,
    scale: Annotated[int | None, typer.Option(min=1, help="So many times the traffic.")] = None,
    file: Annotated[
        Path | None, typer.Option(help="The same as JSON, as `POST /api/simulate` takes it.")
    ] = None,
    by: Annotated[By, typer.Option(help="What the table of costs is by.")] = By.MODEL,
    as_json: JsonFlag = False,
) -> None:
    """What past calls would have come to under other limits, prices or routes, and which of them
    would have been refused. Changes nothing."""
    told: dict[str, Any] = supposed_in(file) if file is not None else {}
    single = {"from": since, "until": until, "scale": scale}
    switches = {"without_limits": without_limits, "list_prices": list_prices}
    told |= {name: value for name, value in single.items() if value is not None}
    told |= {name: True for name, is_on in switches.items() if is_on}
    if "from" not in told:
        raise typer.BadParameter("the moment from which on calls are taken", param_hint="'--from'")
    _add(told, "limits", [supposed_limit(each) for each in limit or ()])
    _add(told, "prices", [supposed_price(each) for each in price or ()])
    _add(told, "routes", [supposed_route(each) for each in route or ()])
    with checking():
        order = checked(SimulationBody, told).order()
    view = simulation_view(with_gateway(lambda g: g.simulate_traffic(order)))
    if as_json:
        print_json(view)
    else:
        _show(view, by)


def _add(told: dict[str, Any], name: str, more: list[dict[str, Any]]) -> None:
    """Behind those of the file, unless those are none at all: that is for others to say."""
    there = told.get(name, [])
    if more and isinstance(there, list):
        told[name] = [*there, *more]


def _show(view: Mapping[str, Any], by: By) -> None:
    limits = [
        {**each, "name": each["scope_name"], "of": [each[of] for of in _NARROWED if each[of]]}
        for each in view["limits"]
    ]
    tables = {"limits", *(f"by_{each}" for each in By)}
    show_one({name: told for name, told in view.items() if name not in tables}, as_json=False)
    out.print()
    if limits:
        show(limits, _LIMITS, as_json=False)
    else:
        out.print("[green]no limit would have refused or warned[/green]")
    out.print()
    lines = view[f"by_{by}"]
    show(
        [{**each, "name": each["name"] or each.get("key_id")} for each in lines],
        _LINES,
        as_json=False,
    )
