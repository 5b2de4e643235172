from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

import typer

from ...domain.pricing import DatedPrice, Rates
from ..checked import checked
from ..http.management.price_bodies import PriceBody, ServicePriceBody
from ..price_views import price_view
from .listed_prices import compare_prices, sync_prices
from .moments import to_ns
from .output import JsonFlag, show, show_one
from .re_rate import re_rate
from .run import checking, with_gateway

app = typer.Typer(help="Prices: dated rows, in US dollars a million tokens.", no_args_is_help=True)

_COLUMNS = (
    *("provider", "model", "effective_from", "input", "cached_input", "output"),
    *("units", "services", "source"),
)

app.command("re-rate")(re_rate)
app.command("diff")(compare_prices)
app.command("sync")(sync_prices)

Usd = Annotated[str, typer.Option(metavar="USD")]
OptionalUsd = Annotated[str | None, typer.Option(metavar="USD")]
Units = Annotated[
    list[str],
    typer.Option(
        metavar="NAME=USD",
        help="Of what is not sold by the token, such as images; may be given again.",
    ),
]
ServiceOption = Annotated[
    str | None, typer.Option(help="Of this service alone: priority, flex, fast.")
]
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
    unit: Units = [],  # noqa: B006  (typer copies it)
    service: ServiceOption = None,
    since: Since = None,
    as_json: JsonFlag = False,
) -> None:
    """Add a price, or that of a service beside it. The one before stays on record, and past calls
    keep what they cost; services keep theirs until they are set or removed."""
    rates = {name: usd for name, usd in locals().items() if name in Rates.__slots__}
    told = {"provider": provider, "model": model, "effective_from": since, **rates}
    done = _set({**told, "units": named_usd(unit)}, service)
    show_one(price_view(done), as_json=as_json)


def _set(told: dict[str, Any], service: str | None) -> DatedPrice:
    with checking():
        if service is None:
            order = checked(PriceBody, told).order()
        else:
            order = checked(ServicePriceBody, {**told, "service": service}).order()
    if service is None:
        return with_gateway(lambda g: g.set_price.ordinary(order))
    return with_gateway(lambda g: g.set_price.of_service(service, order))


def named_usd(given: Sequence[str]) -> dict[str, str]:
    """`images=0.04`, each of a unit."""
    named = (each.partition("=") for each in given)
    return {name: usd for name, _, usd in named}


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
        lambda g: g.set_price.without_service(
            provider, model, service, to_ns(since) if since else None
        )
    )
    show_one(price_view(removed), as_json=as_json)
