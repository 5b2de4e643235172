from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from ...application.ports.ledger import SpendQuery
from ...domain.ids import KeyId
from .. import views
from ..times import to_ns
from .output import JsonFlag, show
from .run import with_gateway

KeyOption = Annotated[UUID | None, typer.Option("--key", help="Only of this virtual key (its id).")]

_LEDGER_COLUMNS = (
    "at",
    "key_id",
    "model",
    "provider",
    "outcome",
    "error",
    "duration_ms",
    "cost_usd",
)


class By(StrEnum):
    KEY = "key"
    MODEL = "model"
    PROVIDER = "provider"


def spend(
    by: Annotated[By, typer.Option(help="What to add up by.")] = By.KEY,
    since: Annotated[datetime | None, typer.Option(help="From then on, in UTC.")] = None,
    until: Annotated[datetime | None, typer.Option(help="Up to then, in UTC.")] = None,
    key: KeyOption = None,
    as_json: JsonFlag = False,
) -> None:
    """What was spent, the dearest first."""
    query = SpendQuery(
        by=by.value,
        from_ns=to_ns(since) if since else None,
        until_ns=to_ns(until) if until else None,
        key_id=KeyId(key) if key else None,
    )
    rows = [views.spend_view(line) for line in with_gateway(lambda g: g.report_spend(query))]
    show(
        rows,
        ("name", "calls", "prompt_tokens", "completion_tokens", "cost_usd", "unpriced_calls"),
        as_json=as_json,
    )


def ledger(
    key: KeyOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    as_json: JsonFlag = False,
) -> None:
    """The calls themselves, the newest first."""
    entries = with_gateway(lambda g: g.report_spend.entries(KeyId(key) if key else None, limit))
    show([views.entry_view(entry) for entry in entries], _LEDGER_COLUMNS, as_json=as_json)
