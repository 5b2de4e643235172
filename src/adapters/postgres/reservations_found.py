from collections.abc import Sequence

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.admission import Ask, Reservation
from .columns import column
from .reservation_rows import reservation_of
from .tables.calls import RESERVATIONS
from .times import to_timestamp

_ROW = RESERVATIONS.c
# However many there are: a statement takes 32,767 parameters.
_FOUND = select(RESERVATIONS).where(
    tuple_(_ROW.at, _ROW.request_id).in_(
        select(column("at", _ROW.at.type), column("id", _ROW.request_id.type))
    )
)


async def found(connection: AsyncConnection, asks: Sequence[Ask]) -> Sequence[Reservation]:
    """Those of these calls that have been admitted."""
    asked = {
        "at": [to_timestamp(ask.at_ns) for ask in asks],
        "id": [ask.request_id for ask in asks],
    }
    return [reservation_of(row) for row in await connection.execute(_FOUND, asked)]
