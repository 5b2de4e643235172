from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import select, tuple_

from ...application.ports.charged_calls import ChargedCalls, ChargedQuery
from ...domain.corrections import BookedCall
from .database import Database
from .ledger_rows import call_of
from .tables.calls import LEDGER
from .times import to_timestamp

_ROW = LEDGER.c
_CALL = (_ROW.at, _ROW.request_id)
# Of a model that few have called, a page may be all that there is of the ledger.
_WITHIN_S = 60.0


class PostgresChargedCalls:
    """Raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, query: ChargedQuery, after: BookedCall | None, size: int
    ) -> Sequence[BookedCall]:
        wanted = (
            select(*_CALL)
            .where(
                _ROW.number == 0,
                _ROW.provider == query.provider,
                _ROW.upstream_model == query.model,
                _ROW.at >= to_timestamp(query.from_ns),
                _ROW.at < to_timestamp(query.until_ns),
            )
            .order_by(*_CALL)
            .limit(size)
        )
        if after is not None:
            last = to_timestamp(after.entry.at_ns), after.entry.request_id
            # The first of them is what tells which months need not be looked into.
            wanted = wanted.where(_ROW.at >= last[0], tuple_(*_CALL) > last)
        page = wanted.subquery("page")
        rows = (
            select(LEDGER)
            .join(page, (_ROW.at == page.c.at) & (_ROW.request_id == page.c.request_id))
            .order_by(*_CALL, _ROW.number)
        )
        async with self._database.reading(within_s=_WITHIN_S) as connection:
            found = (await connection.execute(rows)).all()
        calls = (call_of(own) for _, own in groupby(found, key=lambda row: row.request_id))
        return [call for call in calls if call is not None]


_: type[ChargedCalls] = PostgresChargedCalls
