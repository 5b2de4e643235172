from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause
from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.history import History, Past
from ...domain.admission import Ask, Reservation
from ...domain.ids import RequestId
from ...domain.ledger import LedgerEntry
from ...domain.limits import Limit, Measure, Sliding
from ...domain.periods import FOR_GOOD
from ...domain.rate_window import NS_PER_S, SLOTS
from ...domain.rebuild import Tally, first_place
from ...domain.scopes import Scope
from .database import Database
from .history_rows import OVER, Shape, by_period, for_good, shape_of, sliding
from .posted_corrections import LAST_POSITION
from .reservation_rows import unsettled
from .times import to_timestamp

_DAY_NS = 24 * 3600 * NS_PER_S
_NEVER = datetime.max.replace(tzinfo=UTC)

AtRest = Callable[[], AbstractAsyncContextManager[Sequence[LedgerEntry]]]


class PostgresHistory:
    """`at_rest` is the ledger of this process (see `PostgresLedger.at_rest`); `longest_call_s` is
    the longest that a call may take, with its lease."""

    def __init__(self, database: Database, at_rest: AtRest, longest_call_s: float) -> None:
        self._database = database
        self._at_rest = at_rest
        self._longest_call_ns = int(longest_call_s * NS_PER_S)

    @asynccontextmanager
    async def past(
        self, limits: Sequence[Limit], now_ns: int, doubted: Collection[Ask] = ()
    ) -> AsyncIterator[Past]:
        async with self._at_rest() as waiting:
            async with self._database.reading() as connection:
                settled = await settled_of(connection, limits, now_ns, self._longest_call_ns)
                over = await _over(connection, [*doubted, *waiting])
                position = (await connection.execute(LAST_POSITION)).scalar_one()
            # Another process may have settled a call of ours: what it has written is what counts.
            yield Past(
                settled=settled,
                waiting=[entry for entry in waiting if entry.request_id not in over],
                over=over,
                position=position,
            )

    async def open(self, now_ns: int) -> Sequence[Reservation]:
        del now_ns  # a lease that has run out still has to be settled
        async with self._database.reading() as connection:
            return await unsettled(connection)


async def settled_of(
    connection: AsyncConnection, limits: Sequence[Limit], now_ns: int, longest_call_ns: int
) -> Mapping[UUID, Sequence[Tally]]:
    """What each limit counts of the ledger, as the transaction sees it."""
    tallies: dict[UUID, list[Tally]] = defaultdict(list)
    shapes: dict[Shape, list[Limit]] = defaultdict(list)
    for limit in limits:
        if limit.measure is not Measure.PARALLEL:
            shapes[shape_of(limit)].append(limit)
    for shape, alike in shapes.items():
        by_id = {limit.id: limit for limit in alike}
        asked: dict[str, Any] = {
            "ids": list(by_id),
            "scopes": [limit.scope.id for limit in by_id.values()],
        }
        for row in await connection.execute(*_query(shape, asked, now_ns, longest_call_ns)):
            limit = by_id[row.id]
            name = limit.counts(
                model=getattr(row, "model", ""),
                end_user=getattr(row, "end_user", None),
                tag=getattr(row, "tag", None),
            )
            if name is not None:
                tallies[limit.id].append(
                    Tally(name=name, place=row.place, amount=int(row.amount), owed=row.owed)
                )
    return tallies


def _query(
    shape: Shape, asked: dict[str, Any], now_ns: int, longest_call_ns: int
) -> tuple[TextClause, dict[str, Any]]:
    any_of_them = Limit(
        scope=Scope(kind=shape.scope, id=asked["scopes"][0]),
        measure=shape.measure,
        amount=0,
        window=shape.window,
    )
    first = first_place(any_of_them, now_ns)
    if isinstance(shape.window, Sliding):
        slot_ns = shape.window.seconds * NS_PER_S // SLOTS
        since = to_timestamp(max(0, first * slot_ns - longest_call_ns))
        query = sliding(shape.scope, shape.measure, shape.names)
        return query, {**asked, "slot_ns": slot_ns, "first": first, "since": since}
    if shape.window == FOR_GOOD and "end_user" not in shape.names:
        return for_good(shape.scope, shape.measure, shape.names), asked
    query = by_period(shape.scope, shape.measure, shape.names)
    _, ends_ns = shape.window.around(first)
    until_ns = first + longest_call_ns if first else 0
    if "end_user" not in shape.names:
        # Periods that begin anew, since for others there is `for_good`.
        first_day_ns = -(-until_ns // _DAY_NS) * _DAY_NS
        last_day_ns = max(first_day_ns, (ends_ns or 0) // _DAY_NS * _DAY_NS)
        asked["first_day"] = to_timestamp(first_day_ns)
        asked["last_day"] = to_timestamp(last_day_ns)
    return query, {
        **asked,
        "place": first,
        "next": ends_ns or 0,
        "ends": _NEVER if ends_ns is None else to_timestamp(ends_ns),
        "began": to_timestamp(first),
        "since": to_timestamp(max(0, first - longest_call_ns)),
        "until": to_timestamp(until_ns),
    }


async def _over(
    connection: AsyncConnection, calls: Collection[Ask | LedgerEntry]
) -> Collection[RequestId]:
    if not calls:
        return ()
    doubted = {
        "ats": [to_timestamp(call.at_ns) for call in calls],
        "ids": [call.request_id for call in calls],
    }
    return {RequestId(row.request_id) for row in await connection.execute(OVER, doubted)}


_: type[History] = PostgresHistory
