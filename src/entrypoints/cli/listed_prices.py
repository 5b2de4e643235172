"""Prices, beside those that providers list."""

from typing import Annotated, Any

import typer

from ...domain.price_differences import Step
from ..price_views import difference_view
from .output import JsonFlag, err, show
from .run import with_gateway

# Too much for a cell of a table.
_COMPOSED = frozenset({"tiers", "units", "services"})


def compare_prices(as_json: JsonFlag = False) -> None:
    """Where prices in force are not those that providers list, of the models that routes name."""
    found = with_gateway(lambda g: g.compare_prices())
    rows = [difference_view(each) for each in found]
    _show_differences(rows, ("provider", "model", "differences", "source"), as_json=as_json)


def sync_prices(
    apply: Annotated[bool, typer.Option("--apply", help="Write them; or only show them.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Also where an operator has set another price.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring prices up to those that providers list, from now on. What was charged stays."""
    steps = with_gateway(lambda g: g.sync_prices(force=force, apply=apply))
    rows = [{**difference_view(each), "step": str(step)} for each, step in steps]
    columns = ("step", "provider", "model", "differences", "source")
    _show_differences(rows, columns, as_json=as_json)
    if not apply and any(step in {Step.ADD, Step.REPLACE} for _, step in steps):
        err.print("[dim]Nothing was written: --apply does.[/dim]")


def _show_differences(
    rows: list[dict[str, Any]], columns: tuple[str, ...], *, as_json: bool
) -> None:
    if not as_json:
        for row in rows:
            stored, listed = row["stored"], row["listed"]
            row["differences"] = _differences(stored, listed, row["differs_in"])
            row["source"] = stored and stored["source"]
    show(rows, columns, as_json=as_json)


def _differences(
    stored: dict[str, Any] | None, listed: dict[str, Any] | None, classes: list[str]
) -> list[str]:
    if listed is None:
        return ["has no price, and none is listed"]
    if stored is None:
        return [f"has no price; listed: {listed['input']} in, {listed['output']} out"]
    return [
        name if name in _COMPOSED else f"{name}: {stored[name] or '-'} → {listed[name] or '-'}"
        for name in classes
    ]
