import time
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer

from ...domain.money import Money
from ...domain.pricing import DatedPrice, ModelPrice, Rates
from ...domain.services import service_named
from ...domain.units import UnitRates
from ..price_views import price_view
from .listed_prices import compare_prices, sync_prices
from .moments import to_ns
from .output import JsonFlag, show, show_one
from .re_rate import re_rate
from .run import with_gateway

app = typer.Typer(help="Prices: dated rows, in US dollars a million tokens.", no_args_is_help=True)

_COLUMNS = (
    *("provider", "model", "effective_from", "input", "cached_input", "output"),
    *("units", "services", "source"),
)
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


def _unit(text: str) -> tuple[str, Money]:
    name, _, usd = text.partition("=")
    try:
        rates = UnitRates({name: Money.from_usd(usd)})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return name, rates.by_name[name]


app.command("re-rate")(re_rate)
app.command("diff")(compare_prices)
app.command("sync")(sync_prices)

Usd = Annotated[Decimal, typer.Option(parser=_usd, metavar="USD")]
OptionalUsd = Annotated[Decimal | None, typer.Option(parser=_usd, metavar="USD")]
Since = Annotated[datetime | None, typer.Option(help="From when, in UTC; now if not given.")]


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
    if not as_json:
        rows = [{**row, "services": list(row["services"])} for row in rows]
    show(rows, _COLUMNS, as_json=as_json)


@app.command("set")
def set_price(
    provider: str,
    model: str,
    input: Usd,  # noqa: A002  (the option's name)
    output: Usd,
    cached_input: OptionalUsd = None,
    cached_audio_input: OptionalUsd = None,
    cached_image_input: OptionalUsd = None,
    cache_write: OptionalUsd = None,
    cache_write_1h: OptionalUsd = None,
    audio_input: OptionalUsd = None,
    image_input: OptionalUsd = None,
    reasoning: OptionalUsd = None,
    audio_output: OptionalUsd = None,
    image_output: OptionalUsd = None,
    unit: Annotated[
        list[Any],
        typer.Option(
            parser=_unit,
            metavar="NAME=USD",
            help="Of what is not sold by the token, such as images; may be given again.",
        ),
    ] = [],  # noqa: B006  (typer copies it)
    service: Annotated[
        str | None, typer.Option(help="Of this service alone: priority, flex, fast.")
    ] = None,
    since: Since = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a price, or that of a service beside it. The one before stays on record, and past calls
    keep what they cost; services keep theirs until they are set or removed."""
    given: dict[str, Any] = {
        "input": input,
        "output": output,
        "cached_input": cached_input,
        "cached_audio_input": cached_audio_input,
        "cached_image_input": cached_image_input,
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
        effective_from_ns=_from_ns(since),
        price=ModelPrice(rates=rates, units=UnitRates(dict(unit))),
    )
    if service is None:
        done = with_gateway(lambda g: g.set_price.ordinary(price))
    elif service_named(service) is None:
        raise typer.BadParameter("no name of a service", param_hint="--service")
    else:
        done = with_gateway(lambda g: g.set_price.of_service(service, price))
    show_one(price_view(done), as_json=as_json)


@app.command("remove-service")
def remove_service(
    provider: str,
    model: str,
    service: str,
    since: Since = None,
    as_json: JsonFlag = False,
) -> None:
    """From now on, or then, a service costs what the ordinary one costs."""
    removed = with_gateway(
        lambda g: g.set_price.without_service(provider, model, service, _from_ns(since))
    )
    show_one(price_view(removed), as_json=as_json)


def _from_ns(since: datetime | None) -> int:
    return to_ns(since) if since else time.time_ns() // 1000 * 1000
