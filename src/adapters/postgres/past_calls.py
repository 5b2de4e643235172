from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.past_calls import PastCalls
from ...domain.admission import Ask
from ...domain.ledger import LedgerEntry
from ...domain.money import Money
from ...domain.past_calls import PastCall
from .database import Database
from .ledger_rows import call_of
from .tables.calls import LEDGER, RESERVATIONS
from .times import to_ns, to_timestamp

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
            held = await _held(connection, entries)
        return [_past_call([row, *corrections[row.request_id]], held) for row in entries]


def _past_call(rows: Sequence[AnyRow], held: Mapping[UUID, AnyRow]) -> PastCall:
    call = call_of(rows)
    assert call is not None  # noqa: S101  (one row is there)
    row = held.get(call.entry.request_id)
    return PastCall(call, None if row is None else _ask(call.entry, row))


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


async def _held(connection: AsyncConnection, entries: Sequence[AnyRow]) -> dict[UUID, AnyRow]:
    """Without what is known from the entries, and without claims: those are made anew."""
    held = RESERVATIONS.c
    call = held.at, held.request_id
    query = select(
        held.request_id,
        held.lease_until,
        held.input_bound,
        held.output_bound,
        held.cost_bound_usd,
        held.priced,
    ).where(_like(call, entries))
    return {row.request_id: row for row in await connection.execute(query)}


def _ask(entry: LedgerEntry, row: AnyRow) -> Ask:
    return Ask(
        request_id=entry.request_id,
        key_id=entry.key_id,
        team_id=entry.team_id,
        organization_id=entry.organization_id,
        end_user=entry.end_user,
        tag=entry.tag,
        model=entry.model,
        streamed=entry.streamed,
        at_ns=entry.at_ns,
        lease_until_ns=to_ns(row.lease_until),
        input_bound=row.input_bound,
        output_bound=row.output_bound,
        cost_bound=Money.from_usd(row.cost_bound_usd),
        priced=row.priced,
    )


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
