from typing import Annotated, Any
from uuid import UUID

import typer

from ...domain.corrections import BookedCall
from ...domain.fields import count_in
from ...domain.ids import KeyId, RequestId
from .. import views
from ..checked import checked
from ..http.management.bodies import CorrectionBody
from .output import CsvFlag, JsonFlag, print_json, show, show_csv, show_one
from .run import checking, with_gateway
from .spend import KeyOption

app = typer.Typer(help="The calls themselves, and their corrections.")

_COLUMNS = (
    "at",
    "key_id",
    "model",
    "provider",
    "outcome",
    "error",
    "duration_ms",
    "cost_usd",
)


def _request_id(text: str) -> UUID:
    try:
        return UUID(text.removeprefix("req_"))
    except ValueError as error:
        raise typer.BadParameter("the x-request-id of an answer") from error


def _tokens(given: list[str]) -> dict[str, int]:
    """`output=12`, each of a class."""
    found = {}
    for text in given:
        name, _, told = text.partition("=")
        count = count_in(told)
        if count is None:
            raise typer.BadParameter("a class and a count, such as output=12")
        found[name] = count
    return found


Call = Annotated[UUID, typer.Argument(parser=_request_id, metavar="REQUEST_ID")]


@app.callback(invoke_without_command=True)
def ledger(
    context: typer.Context,
    key: KeyOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many.")] = 20,
    as_json: JsonFlag = False,
    as_csv: CsvFlag = False,
) -> None:
    """The calls themselves, the newest first."""
    if context.invoked_subcommand is not None:
        return
    entries = with_gateway(lambda g: g.report_spend.entries(KeyId(key) if key else None, limit))
    rows = [views.entry_view(entry) for entry in entries]
    if as_csv:
        show_csv(rows, views.ENTRY_COLUMNS)
    else:
        show(rows, _COLUMNS, as_json=as_json)


@app.command("show")
def show_call(call: Call, as_json: JsonFlag = False) -> None:
    """One call, with its corrections."""
    _show(with_gateway(lambda g: g.correct_entry.one(RequestId(call))), as_json=as_json)


@app.command()
def correct(
    call: Call,
    reason: Annotated[str, typer.Option(help="Why. It stays with the correction.")],
    cost: Annotated[str | None, typer.Option(metavar="USD", help="What it came to.")] = None,
    tokens: Annotated[
        list[str],
        typer.Option(metavar="CLASS=COUNT", help="What it used of a class; may be given again."),
    ] = [],  # noqa: B006  (typer copies it)
    as_json: JsonFlag = False,
) -> None:
    """Say what a call really used or cost: the difference is added to the ledger."""
    told = {"reason": reason, "usage": _tokens(tokens) if tokens else None, "cost_usd": cost}
    with checking():
        body = checked(CorrectionBody, told)
    corrected = with_gateway(
        lambda g: g.correct_entry(
            RequestId(call), reason=body.reason, usage=body.usage, cost=body.cost
        )
    )
    _show(corrected, as_json=as_json)


def _show(call: BookedCall, *, as_json: bool) -> None:
    row: dict[str, Any] = views.call_view(call)
    if as_json:
        print_json(row)
        return
    corrections, comes_to = row.pop("corrections"), row.pop("comes_to")
    show_one(row, as_json=False)
    if corrections:
        show(corrections, ("number", "posted_at", "usage", "cost_usd", "reason"), as_json=False)
        show_one({"comes to": comes_to["cost_usd"]}, as_json=False)
