from sqlalchemy import select

from ...application.ports.ledger import LedgerCorrections
from ...domain.corrections import BookedCall, Correction
from ...domain.ids import RequestId
from .database import Database
from .ledger_rows import call_of, write
from .tables.calls import LEDGER


class PostgresCorrections:
    """Each method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def call(self, request_id: RequestId) -> BookedCall | None:
        rows = (
            select(LEDGER)
            .where(LEDGER.c.request_id == request_id)
            .order_by(LEDGER.c.at, LEDGER.c.number)
        )
        async with self._database.reading() as connection:
            return call_of(await connection.execute(rows))

    async def post(self, correction: Correction) -> bool:
        async with self._database.writing() as connection:
            return bool(await write(connection, [correction]))


_: type[LedgerCorrections] = PostgresCorrections
