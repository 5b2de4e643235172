import time
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from ...domain.money import Money
from ...domain.price_differences import Step
from ...domain.pricing import DatedPrice, ModelPrice, Rates
from ..price_views import difference_view, price_view
from ..times import to_ns
from .output import JsonFlag, err, show, show_one
from .re_rate import re_rate
from .run import with_gateway

app = typer.Typer(help="Prices: dated rows, in US dollars a million tokens.", no_args_is_help=True)

_COLUMNS = ("provider", "model", "effective_from", "input", "cached_input", "output", "source")
_TOKENS_PER_MTOK = 1_000_000


def _usd(text: str) -> Decimal:
    try:
        usd = Decimal(text)
        Money.from_usd(usd / _TOKENS_PER_MTOK)
    except (InvalidOperation, ValueError) as error:
        raise typer.BadParameter("an amount with at most six decimals") from error
    if usd < 0:
        raise typer.BadParameter("at least 0")
    return usd


app.command("re-rate")(re_rate)

Usd = Annotated[Decimal, typer.Option(parser=_usd, metavar="USD")]
OptionalUsd = Annotated[Decimal | None, typer.Option(parser=_usd, metavar="USD")]


@app.command("list")
def list_prices(
    provider: Annotated[str | None, typer.Option(help="Only of this one.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Every dated price."""
    catalogue = with_gateway(lambda g: g.catalogues.load())
    rows = [
        price_view(row)
        for row in catalogue.prices.rows()
        if provider is None or row.provider == provider
    ]
    show(rows, _COLUMNS, as_json=as_json)


@app.command("set")
def set_price(
    provider: str,
    model: str,
    input: Usd,  # noqa: A002  (the option's name)
    output: Usd,
    cached_input: OptionalUsd = None,
    cache_write: OptionalUsd = None,
    cache_write_1h: OptionalUsd = None,
    audio_input: OptionalUsd = None,
    image_input: OptionalUsd = None,
    reasoning: OptionalUsd = None,
    audio_output: OptionalUsd = None,
    image_output: OptionalUsd = None,
    since: Annotated[
        datetime | None, typer.Option(help="From when, in UTC; now if not given.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a price. The one before it stays on record, and past calls keep what they cost."""
    given: dict[str, Any] = {
        "input": input,
        "output": output,
        "cached_input": cached_input,
        "cache_write": cache_write,
        "cache_write_1h": cache_write_1h,
        "audio_input": audio_input,
        "image_input": image_input,
        "reasoning": reasoning,
        "audio_output": audio_output,
        "image_output": image_output,
    }
    rates = Rates(
        **{
            name: Money.from_usd(usd / _TOKENS_PER_MTOK)
            for name, usd in given.items()
            if usd is not None
        }
    )
    price = DatedPrice(
        provider=provider,
        model=model,
        effective_from_ns=to_ns(since) if since else time.time_ns() // 1000 * 1000,
        price=ModelPrice(rates=rates),
    )
    show_one(price_view(with_gateway(lambda g: g.set_price(price))), as_json=as_json)


@app.command("diff")
def compare_prices(as_json: JsonFlag = False) -> None:
    """Where prices in force are not those that providers list, of the models that routes name."""
    found = with_gateway(lambda g: g.compare_prices())
    rows = [difference_view(each) for each in found]
    _show_differences(rows, ("provider", "model", "differences", "source"), as_json=as_json)


@app.command("sync")
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
        name if name == "tiers" else f"{name}: {stored[name] or '-'} → {listed[name] or '-'}"
        for name in classes
    ]
