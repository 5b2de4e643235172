from collections.abc import Iterable, Sequence
from functools import reduce

from sqlalchemy import ColumnElement, String, cast, func, select

from ...application.ports.ledger import LedgerReports, SpendLine, SpendQuery
from ...domain.ids import KeyId
from ...domain.ledger import LedgerEntry
from ...domain.money import Money
from ...domain.usage import INPUT_CLASSES, OUTPUT_CLASSES
from .database import Database
from .ledger_rows import entry_of
from .tables import LEDGER
from .times import to_timestamp

_ROW = LEDGER.c
_HEADINGS: dict[str, ColumnElement[str]] = {
    "key": cast(_ROW.key_id, String),
    "model": _ROW.model,
    "provider": func.coalesce(_ROW.provider, ""),
}


def _sum_of(classes: Iterable[str]) -> ColumnElement[int]:
    columns: Iterable[ColumnElement[int]] = (_ROW[f"{name}_tokens"] for name in classes)
    return reduce(lambda total, column: total + column, columns)


_PROMPT, _COMPLETION = _sum_of(INPUT_CLASSES), _sum_of(OUTPUT_CLASSES)


class PostgresReports:
    """What has been written to the ledger. Each method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spend(self, query: SpendQuery) -> Sequence[SpendLine]:
        name = _HEADINGS[query.by].label("name")
        cost = func.sum(_ROW.cost_usd).label("cost_usd")
        lines = (
            select(
                name,
                func.count().label("calls"),
                func.sum(_PROMPT).label("prompt_tokens"),
                func.sum(_COMPLETION).label("completion_tokens"),
                cost,
                func.count().filter(~_ROW.priced).label("unpriced_calls"),
                func.count().filter(_ROW.estimated).label("estimated_calls"),
            )
            .where(*_which(query))
            .group_by(name)
        )
        async with self._database.reading() as connection:
            found = [
                SpendLine(
                    name=row.name,
                    calls=row.calls,
                    prompt_tokens=int(row.prompt_tokens),
                    completion_tokens=int(row.completion_tokens),
                    cost=Money.from_usd(row.cost_usd),
                    unpriced_calls=row.unpriced_calls,
                    estimated_calls=row.estimated_calls,
                )
                for row in await connection.execute(lines)
            ]
        return sorted(found, key=lambda line: (-line.cost.pico, line.name))

    async def entries(self, key_id: KeyId | None, limit: int) -> Sequence[LedgerEntry]:
        newest = select(LEDGER).order_by(_ROW.at.desc(), _ROW.request_id.desc()).limit(limit)
        if key_id is not None:
            newest = newest.where(_ROW.key_id == key_id)
        async with self._database.reading() as connection:
            return [entry_of(row) for row in await connection.execute(newest)]


def _which(query: SpendQuery) -> list[ColumnElement[bool]]:
    which = []
    if query.from_ns is not None:
        which.append(_ROW.at >= to_timestamp(query.from_ns))
    if query.until_ns is not None:
        which.append(_ROW.at < to_timestamp(query.until_ns))
    if query.key_id is not None:
        which.append(_ROW.key_id == query.key_id)
    return which


_: type[LedgerReports] = PostgresReports
