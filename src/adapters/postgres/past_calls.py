from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.past_calls import PastCalls
from ...domain.admission import Ask
from ...domain.past_calls import PastCall
from .database import Database
from .ledger_rows import call_of
from .reservation_rows import reservation_of
from .tables.calls import LEDGER, RESERVATIONS
from .times import to_timestamp

AnyRow = Row[*tuple[Any, ...]]

_ROW = LEDGER.c
_CALL = (_ROW.at, _ROW.request_id)
# Both are read by ranges of their primary keys: joined, Postgres might read whole months.
_WITHIN_S = 60.0


class PostgresPastCalls:
    """Raises StoreUnavailable. Each page is a transaction of its own, which only reads: what is
    told was written once, and nothing waits for it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, from_ns: int, until_ns: int, most: int) -> int:
        some = select(_ROW.at).where(*_between(from_ns, until_ns)).limit(most).subquery()
        async with self._database.reading(within_s=_WITHIN_S) as connection:
            counted = await connection.execute(select(func.count()).select_from(some))
            return int(counted.scalar_one())

    async def page(
        self, from_ns: int, until_ns: int, after: PastCall | None, size: int
    ) -> Sequence[PastCall]:
        wanted = select(LEDGER).where(*_between(from_ns, until_ns)).order_by(*_CALL).limit(size)
        if after is not None:
            at_ns, request_id = after.place
            last = to_timestamp(at_ns), request_id
            # The first of them is what tells which months need not be looked into.
            wanted = wanted.where(_ROW.at >= last[0], tuple_(*_CALL) > last)
        async with self._database.reading(within_s=_WITHIN_S) as connection:
            entries = (await connection.execute(wanted)).all()
            if not entries:
                return []
            corrections = await _corrections(connection, entries)
            asked = await _asked(connection, entries)
        calls = (call_of([row, *corrections[row.request_id]]) for row in entries)
        return [
            PastCall(call, asked.get(call.entry.request_id)) for call in calls if call is not None
        ]


def _between(from_ns: int, until_ns: int) -> Sequence[ColumnElement[bool]]:
    since, until = to_timestamp(from_ns), to_timestamp(until_ns)
    return _ROW.number == 0, _ROW.at >= since, _ROW.at < until


async def _corrections(
    connection: AsyncConnection, entries: Sequence[AnyRow]
) -> dict[UUID, list[AnyRow]]:
    query = select(LEDGER).where(_ROW.number > 0, _like(_CALL, entries))
    found: dict[UUID, list[AnyRow]] = defaultdict(list)
    for row in await connection.execute(query.order_by(*_CALL, _ROW.number)):
        found[row.request_id].append(row)
    return found


async def _asked(connection: AsyncConnection, entries: Sequence[AnyRow]) -> dict[UUID, Ask]:
    held = RESERVATIONS.c
    query = select(RESERVATIONS).where(_like((held.at, held.request_id), entries))
    return {row.request_id: reservation_of(row).ask for row in await connection.execute(query)}


def _like(call: tuple[Any, Any], entries: Sequence[AnyRow]) -> ColumnElement[bool]:
    """From the first of the entries to the last."""
    first, last = entries[0], entries[-1]
    return and_(
        call[0] >= first.at,
        call[0] <= last.at,
        tuple_(*call) >= (first.at, first.request_id),
        tuple_(*call) <= (last.at, last.request_id),
    )


_: type[PastCalls] = PostgresPastCalls
