import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..csv_text import csv_text

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)

_IDS = frozenset({"id", "key_id"})

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
CsvFlag = Annotated[bool, typer.Option("--csv", help="Print CSV instead of a table.")]


def plain(text: str) -> Text:
    """What callers and operators have chosen, such as the name of an end user, says nothing to the
    terminal, and is no markup."""
    return Text("".join(each if each.isprintable() else ascii(each)[1:-1] for each in text))


def tell(text: str) -> None:
    """What was done."""
    out.print(plain(text))


def tell_error(text: str, kind: str = "error") -> None:
    err.print(Text.assemble((kind, "bold red"), " ", plain(text)))


def show(rows: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    """Rows as a table of these columns, or whole as JSON."""
    if as_json:
        print_json(list(rows))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        # An id that is broken in two cannot be copied.
        table.add_column(column.replace("_", " "), overflow="fold", no_wrap=column in _IDS)
    for row in rows:
        table.add_row(*(plain(_cell(row.get(column))) for column in columns))
    out.print(table)
    if not rows:
        out.print("[dim]nothing there[/dim]")


def show_csv(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    sys.stdout.write(csv_text(rows, columns))


def show_one(row: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(row)
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, value in row.items():
        table.add_row(Text(name.replace("_", " "), style="bold"), plain(_cell(value)))
    out.print(table)


def print_json(value: object) -> None:
    sys.stdout.write(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode() + "\n")


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value) or "-"
    if isinstance(value, dict):
        return " ".join(f"{name}={_cell(item)}" for name, item in value.items()) or "-"
    return str(value)


@contextmanager
def working(what: str) -> Iterator[None]:
    """A spinner on a terminal, one plain line elsewhere."""
    if not err.is_terminal:
        err.print(f"{what} …", markup=False)
        yield
        return
    with err.status(f"{what} …"):
        yield
