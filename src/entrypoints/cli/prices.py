import time
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from ...domain.money import Money
from ...domain.pricing import DatedPrice, ModelPrice, Rates
from .. import views
from ..times import to_ns
from .output import JsonFlag, show, show_one
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
        views.price_view(row)
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
    show_one(views.price_view(with_gateway(lambda g: g.set_price(price))), as_json=as_json)
