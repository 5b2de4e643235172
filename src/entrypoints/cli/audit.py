from datetime import datetime
from typing import Annotated, Any

import typer

from ...application.ports.audit import ChangeQuery
from ..audit_views import change_view
from .moments import to_ns
from .output import JsonFlag, show
from .run import with_gateway

_COLUMNS = ("at", "actor", "kind", "name", "action", "changed", "reason")


def audit(
    kind: Annotated[
        str | None, typer.Option(help="Only of these: key, credential, provider, route, price, …")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Only of the one that is called so.")] = None,
    since: Annotated[datetime | None, typer.Option(help="From then on, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Up to then, in UTC.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """Who changed what, the newest change first."""
    query = ChangeQuery(
        kind=kind,
        name=name,
        from_ns=to_ns(since) if since else None,
        until_ns=to_ns(until) if until else None,
        limit=limit,
    )
    rows = [change_view(each) for each in with_gateway(lambda g: g.report_changes(query))]
    if not as_json:
        for row in rows:
            row["changed"] = _changed(row["before"] or {}, row["after"] or {})
    show(rows, _COLUMNS, as_json=as_json)


def _changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """Of what was there before, and is still there: which fields have become what."""
    if not before or not after:
        return []
    return [
        f"{name}: {before.get(name)} → {after.get(name)}"
        for name in {**before, **after}
        if before.get(name) != after.get(name)
    ]
