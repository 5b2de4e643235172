from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from sqlalchemy import ColumnElement, Date, Select, String, and_, cast, exists, func, select
from sqlalchemy.sql.expression import FunctionElement

from ...application.ports.ledger import LedgerReports, SpendLine, SpendQuery, in_order
from ...domain.ids import KeyId
from ...domain.ledger import LedgerEntry
from ...domain.money import Money
from ...domain.usage import INPUT_CLASSES, OUTPUT_CLASSES
from .database import Database
from .ledger_rows import entry_of
from .postings import sum_name
from .tables.calls import LEDGER, ROLLUPS
from .texts import storable
from .times import to_timestamp

_ROW, _DAY = LEDGER.c, ROLLUPS.c
_DAY_NS = 24 * 3600 * 10**9
_DAY_OF: ColumnElement[Any] = cast(func.timezone("UTC", _ROW.at), Date)


def _text(column: ColumnElement[Any]) -> ColumnElement[str]:
    return func.coalesce(cast(column, String), "")


_IN_LEDGER = {
    "key": _text(_ROW.key_id),
    "team": _text(_ROW.team_id),
    "organization": _text(_ROW.organization_id),
    "end_user": _text(_ROW.end_user),
    "model": _text(_ROW.model),
    "provider": _text(_ROW.provider),
    "tag": _text(_ROW.tag),
    "day": _text(_DAY_OF),
}
_IN_ROLLUPS = {
    "key": _text(_DAY.key_id),
    "team": _text(_DAY.team_id),
    "organization": _text(_DAY.organization_id),
    "model": _text(_DAY.model),
    "provider": _text(_DAY.provider),
    "tag": _text(_DAY.tag),
    "day": _text(_DAY.day),
}


def _sum_of(classes: Iterable[str]) -> FunctionElement[int]:
    columns: Iterable[ColumnElement[int]] = (_ROW[f"{name}_tokens"] for name in classes)
    return func.sum(reduce(lambda total, column: total + column, columns))


_LATER = LEDGER.alias("later")
_IS_LAST = ~(
    exists()
    .where(
        _LATER.c.at == _ROW.at,
        _LATER.c.request_id == _ROW.request_id,
        _LATER.c.number > _ROW.number,
    )
    .correlate(LEDGER)
)
_FROM_LEDGER = (
    func.count().filter(_ROW.number == 0).label("calls"),
    _sum_of(INPUT_CLASSES).label("prompt_tokens"),
    _sum_of(OUTPUT_CLASSES).label("completion_tokens"),
    func.sum(_ROW.cost_usd).label("cost_usd"),
    func.count().filter(and_(~_ROW.priced, _IS_LAST)).label("unpriced_calls"),
    func.count().filter(and_(_ROW.estimated, _IS_LAST)).label("estimated_calls"),
)
_FROM_ROLLUPS = tuple(
    func.sum(_DAY[name]).label(name)
    for name in (
        *("calls", "prompt_tokens", "completion_tokens"),
        *("cost_usd", "unpriced_calls", "estimated_calls"),
    )
)


class PostgresReports:
    """What has been written to the ledger. Whole days come from its sums, which are there in an
    instant, and stay when the ledger's old months are dropped. Each method raises
    StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def spend(self, query: SpendQuery) -> Sequence[SpendLine]:
        lines = _of_days(query) if _has_whole_days(query) else _of_entries(query)
        async with self._database.reading() as connection:
            found = [
                SpendLine(
                    name=row.name,
                    calls=int(row.calls),
                    prompt_tokens=int(row.prompt_tokens),
                    completion_tokens=int(row.completion_tokens),
                    cost=Money.from_usd(row.cost_usd),
                    unpriced_calls=int(row.unpriced_calls),
                    estimated_calls=int(row.estimated_calls),
                )
                for row in await connection.execute(lines)
            ]
        return in_order(found, query.by)

    async def entries(self, key_id: KeyId | None, limit: int) -> Sequence[LedgerEntry]:
        newest = (
            select(LEDGER)
            .where(_ROW.number == 0)
            .order_by(_ROW.at.desc(), _ROW.request_id.desc())
            .limit(limit)
        )
        if key_id is not None:
            newest = newest.where(_ROW.key_id == key_id)
        async with self._database.reading() as connection:
            return [entry_of(row) for row in await connection.execute(newest)]


def _has_whole_days(query: SpendQuery) -> bool:
    told = {query.by, *query.names}
    bounds = (query.from_ns, query.until_ns)
    return told <= _IN_ROLLUPS.keys() and not any(at_ns and at_ns % _DAY_NS for at_ns in bounds)


def _of_days(query: SpendQuery) -> Select[*tuple[Any, ...]]:
    name = _IN_ROLLUPS[query.by].label("name")
    lines: Select[*tuple[Any, ...]] = select(name, *_FROM_ROLLUPS).group_by(name)
    if query.from_ns is not None:
        lines = lines.where(_DAY.day >= to_timestamp(query.from_ns).date())
    if query.until_ns is not None:
        lines = lines.where(_DAY.day < to_timestamp(query.until_ns).date())
    cut = {name: sum_name(text) for name, text in query.names.items()}
    return lines.where(*_of(query, _DAY), *(_IN_ROLLUPS[name] == cut[name] for name in cut))


def _of_entries(query: SpendQuery) -> Select[*tuple[Any, ...]]:
    name = _IN_LEDGER[query.by].label("name")
    lines: Select[*tuple[Any, ...]] = select(name, *_FROM_LEDGER).group_by(name)
    if query.from_ns is not None:
        lines = lines.where(_ROW.at >= to_timestamp(query.from_ns))
    if query.until_ns is not None:
        lines = lines.where(_ROW.at < to_timestamp(query.until_ns))
    names = query.names.items()
    return lines.where(
        *_of(query, _ROW), *(_IN_LEDGER[name] == storable(text) for name, text in names)
    )


def _of(query: SpendQuery, columns: Any) -> Iterable[ColumnElement[bool]]:
    return (columns[name] == id_ for name, id_ in query.ids.items())


_: type[LedgerReports] = PostgresReports
