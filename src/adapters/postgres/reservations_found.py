from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.admission import Ask, Reservation
from .reservation_rows import reservation_of
from .tables.calls import RESERVATIONS
from .times import to_timestamp

_ROW = RESERVATIONS.c


async def found(connection: AsyncConnection, asks: Sequence[Ask]) -> Sequence[Reservation]:
    """Those of these calls that have been admitted."""
    ids = [(to_timestamp(ask.at_ns), ask.request_id) for ask in asks]
    query = select(RESERVATIONS).where(tuple_(_ROW.at, _ROW.request_id).in_(ids))
    return [reservation_of(row) for row in await connection.execute(query)]
