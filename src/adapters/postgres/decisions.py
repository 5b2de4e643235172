import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection

from ...application.ports.clock import Clock
from ...domain.errors import StoreUnavailable
from ...domain.stores import Store
from .call_counters import ADMIT, CallCounters
from .counter_makers import CounterMakers
from .counters import nothing_settles, settle_if_written
from .database import Database
from .failures import FOREIGN, is_there_already, needs_an_operator, told
from .statements import Statement

_TRIES = 5
# So long nobody is made to wait for a Postgres that has just been found away.
_PAUSE_S = 1.0
_CUT_OFF = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
)

_log = logging.getLogger(__name__)


class Decisions:
    """Asks `langroute.admit`. Where no answer comes `within_s`, it raises StoreUnavailable.

    `longest_call_s` is for counters that are not there yet: so far back a call may have begun that
    is counted now. None lets them begin with nothing, whatever the ledger says.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        connections: int,
        within_s: float,
        longest_call_s: float | None,
        now_ns: Callable[[], int | None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._now_ns = now_ns
        self._makers = CounterMakers(database, longest_call_s, within_s=within_s, now_ns=now_ns)
        self._admit = Statement(database, ADMIT, connections=connections, within_s=within_s)
        self._away_until_s = 0.0

    async def asked(self, call: CallCounters, *, taking: bool) -> Any:
        """What Postgres says of a call, and whether it may go ahead, which with `taking` it does
        then; None where it did before. Raises StoreUnavailable."""
        try:
            return await self._asked_until_told(call, taking=taking)
        except asyncpg.UniqueViolationError:
            return None
        except FOREIGN as error:
            if needs_an_operator(error):
                _log.error("Postgres refused to admit a call: %s", told(error))
            if _is_cut_off(error):
                self._away_until_s = time.monotonic() + _PAUSE_S
            raise StoreUnavailable(Store.COUNTERS) from error

    async def count(self, call: CallCounters) -> None:
        """A call that is under way already, or over. Postgres has not known of it until now."""
        try:
            async with self._database.transaction() as connection:
                await nothing_settles(connection)
                await self._count(connection, call)
                await settle_if_written(connection, call.ask, self._now_ns())
        except FOREIGN as error:
            if not is_there_already(error):
                raise StoreUnavailable(Store.COUNTERS) from error

    async def aclose(self) -> None:
        await self._makers.aclose()
        await self._admit.aclose()

    async def _asked_until_told(self, call: CallCounters, *, taking: bool) -> Any:
        def arguments() -> Sequence[object]:
            self._check_not_away()
            call.in_doubt = before or taking
            return self._arguments(call, taking=taking)

        for tries_left in reversed(range(_TRIES)):
            before = call.in_doubt
            try:
                self._check_not_away()
                (row,) = await self._admit.fetch(arguments)
            except FOREIGN as error:
                # A connection that was cut while it was idle shall not cost a call. If what it was
                # asked was done all the same, the reservation is there already.
                if tries_left and _is_cut_off(error) and not isinstance(error, TimeoutError):
                    continue
                call.in_doubt = before or (call.in_doubt and _is_cut_off(error))
                raise
            call.in_doubt = before and not row["admitted"]
            if not row["missing"]:
                return row
            await self._makers.make(call.counting)
        raise StoreUnavailable(Store.COUNTERS)

    def _check_not_away(self) -> None:
        if time.monotonic() < self._away_until_s:
            raise StoreUnavailable(Store.COUNTERS)

    async def _count(self, connection: AsyncConnection, call: CallCounters) -> None:
        raw = (await connection.get_raw_connection()).driver_connection
        assert raw is not None  # noqa: S101  (it has one while it is in a transaction)
        arguments = self._arguments(call, taking=True)
        row = await raw.fetchrow(ADMIT, *arguments)
        if row["missing"]:
            await self._makers.make_with(connection, call.counting)
            await raw.fetchrow(ADMIT, *arguments)

    def _arguments(self, call: CallCounters, *, taking: bool) -> tuple[Any, ...]:
        return call.arguments(self._now_ns(), self._clock.now_ns(), taking=taking)


def _is_cut_off(error: BaseException) -> bool:
    """Whether no answer came, rather than one that says what was wrong."""
    return isinstance(error, _CUT_OFF) or not isinstance(error, asyncpg.PostgresError)
