from collections.abc import Sequence
from itertools import groupby

from sqlalchemy import func, select, text, tuple_

from ...application.ports.posted_corrections import Posted, PostedCorrections
from .database import Database
from .ledger_rows import call_of
from .reservation_rows import reservation_of
from .tables.calls import LEDGER, RESERVATIONS
from .tables.counters import POSTED_CORRECTIONS

_ROW = POSTED_CORRECTIONS.c

LAST_POSITION = select(func.coalesce(func.max(_ROW.position), 0))

# The last one stays: positions never begin anew.
FORGET = text("""
    delete from langroute.posted_corrections
    where at < date_trunc('month', now(), 'UTC') - make_interval(months => :months)
        and position < (select max(position) from langroute.posted_corrections)
""")


class PostgresPostedCorrections:
    """Those of calls that the ledger still has."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, position: int, size: int) -> Sequence[Posted]:
        logged = (
            select(POSTED_CORRECTIONS)
            .where(_ROW.position > position)
            .order_by(_ROW.position)
            .limit(size)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(logged)).all()
            which = [(row.at, row.request_id) for row in rows]
            entries = (
                select(LEDGER)
                .where(tuple_(LEDGER.c.at, LEDGER.c.request_id).in_(which))
                .order_by(LEDGER.c.at, LEDGER.c.request_id, LEDGER.c.number)
            )
            held = select(RESERVATIONS).where(
                tuple_(RESERVATIONS.c.at, RESERVATIONS.c.request_id).in_(which)
            )
            calls = {
                key: call_of(of_one)
                for key, of_one in groupby(
                    (await connection.execute(entries)).all(),
                    key=lambda row: (row.at, row.request_id),
                )
            }
            reservations = {
                (row.at, row.request_id): reservation_of(row)
                for row in await connection.execute(held)
            }
        found = []
        for row in rows:
            call = calls.get((row.at, row.request_id))
            if call is not None:
                correction = call.corrections[row.number - 1]
                reservation = reservations.get((row.at, row.request_id))
                found.append(Posted(position=row.position, correction=correction, held=reservation))
        return found


_: type[PostedCorrections] = PostgresPostedCorrections
