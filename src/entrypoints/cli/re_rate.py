from datetime import datetime
from typing import Annotated

import typer

from ...application.ports.charged_calls import ChargedQuery
from ..price_views import re_rating_view
from .moments import to_ns
from .output import JsonFlag, err, show_one
from .run import with_gateway


def re_rate(
    provider: Annotated[str, typer.Option(help="Whose calls.")],
    model: Annotated[str, typer.Option(help="At which model, as the provider calls it.")],
    since: Annotated[datetime, typer.Option("--from", help="From then on, in UTC.")],
    until: Annotated[datetime, typer.Option(help="Up to then, in UTC.")],
    reason: Annotated[str, typer.Option(help="Why; stands in each correction.")] = "",
    apply: Annotated[
        bool, typer.Option("--apply", help="Add the corrections; or only tell the sum.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """What past calls come to at the prices that were in force then, as they are on record now."""
    query = ChargedQuery(
        provider=provider, model=model, from_ns=to_ns(since), until_ns=to_ns(until)
    )
    found = with_gateway(lambda g: g.re_rate(query, reason=reason, apply=apply))
    show_one({"applied": apply, **re_rating_view(found)}, as_json=as_json)
    if found.changed and not apply:
        err.print("[dim]Nothing was written: --apply with a --reason does.[/dim]")
