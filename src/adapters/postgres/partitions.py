import logging
from collections.abc import Sequence

from sqlalchemy import text

from .database import Database
from .posted_corrections import FORGET

# Those who write must not wait long behind whoever waits for a partition.
_LOCK_TIMEOUT = text("set local lock_timeout = '2s'")
# A month of calls is looked through, and added up, before anybody has to wait for it to be dropped.
_DROP_S = 600.0
_ENSURE = text(
    "select langroute.ensure_partitions(now() - interval '1 day', now() + interval '2 months')"
)
_DROP = text(
    """
    select unnest(langroute.drop_partitions(
        date_trunc('month', now(), 'UTC') - make_interval(months => :months)
    ))
    """
)

_log = logging.getLogger(__name__)


class PostgresPartitions:
    """The months of the ledger and of the reservations: made ahead, and dropped once they are older
    than `retention_months`, those of the present one not counted. None is: kept for ever."""

    def __init__(self, database: Database, retention_months: int | None) -> None:
        self._database = database
        self._retention_months = retention_months

    async def make_ahead(self) -> None:
        """Raises StoreUnavailable: what is written then goes to the default partition, and is moved
        the next time."""
        async with self._database.writing() as connection:
            await connection.execute(_LOCK_TIMEOUT)
            await connection.execute(_ENSURE)

    async def drop_old(self) -> None:
        """However long it takes. Raises StoreUnavailable."""
        if self._retention_months is None:
            return
        while dropped := await self._drop_oldest(self._retention_months):
            _log.info("dropped for their age: %s", ", ".join(dropped))

    async def _drop_oldest(self, months: int) -> Sequence[str]:
        async with self._database.writing(within_s=_DROP_S) as connection:
            await connection.execute(_LOCK_TIMEOUT)
            dropped = list((await connection.execute(_DROP, {"months": months})).scalars())
            await connection.execute(FORGET, {"months": months})
            return dropped
