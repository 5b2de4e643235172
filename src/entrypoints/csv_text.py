import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

# What spreadsheets take for a formula, in a text that a caller may have chosen.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """RFC 4180, with a line of headings. A column such as `usage.input` is of a row within the
    row; a whole one of those is written as `images=2 web_searches=1`."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    writer.writerows([_cell(row, column) for column in columns] for row in rows)
    return out.getvalue()


def _cell(row: Mapping[str, Any], column: str) -> object:
    value: Any = row
    for name in column.split("."):
        value = value[name]
    if isinstance(value, Mapping):
        value = " ".join(f"{name}={inner}" for name, inner in value.items())
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) and value.startswith(_FORMULAS) and not _is_number(value):
        return f"'{value}"
    return value


def _is_number(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdecimal()
