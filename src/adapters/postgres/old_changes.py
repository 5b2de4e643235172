import logging

from sqlalchemy import text

from .database import Database

_AT_ONCE = 1_000
_FORGET = text(
    """
    select langroute.forget_changes(
        date_trunc('month', now(), 'UTC') - make_interval(months => :months), :most
    )
    """
)

_log = logging.getLogger(__name__)


class PostgresOldChanges:
    """The audit log's changes that are older than `retention_months`, those of the present one not
    counted. None is: kept for ever."""

    def __init__(
        self, database: Database, retention_months: int | None, *, at_once: int = _AT_ONCE
    ) -> None:
        self._database = database
        self._retention_months = retention_months
        self._at_once = at_once

    async def forget(self) -> None:
        """A few at a time, so that whoever adds to the log never waits long. Raises
        StoreUnavailable."""
        if self._retention_months is None:
            return
        forgotten = 0
        while gone := await self._forget_some(self._retention_months):
            forgotten += gone
        if forgotten:
            _log.info("forgot %d changes of the audit log for their age", forgotten)

    async def _forget_some(self, months: int) -> int:
        async with self._database.changing() as connection:
            asked = {"months": months, "most": self._at_once}
            return int(await connection.scalar(_FORGET, asked) or 0)
