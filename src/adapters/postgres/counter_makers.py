import asyncio
import logging
from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.admission import Counted, CounterId
from ...domain.errors import StoreUnavailable
from .database import Database
from .new_counters import make_counters

_log = logging.getLogger(__name__)


class CounterMakers:
    """Makes counters that are not there yet, each once, however many calls come that need it.

    A ledger may be long: whoever waits gives up after `within_s`, with StoreUnavailable, and the
    work goes on for those who come later.
    """

    def __init__(
        self,
        database: Database,
        longest_call_s: float | None,
        *,
        within_s: float,
        now_ns: Callable[[], int | None],
    ) -> None:
        self._database = database
        self._longest_call_ns = None if longest_call_s is None else int(longest_call_s * 10**9)
        self._within_s = within_s
        self._now_ns = now_ns
        self._making: dict[CounterId, asyncio.Task[None]] = {}

    async def make(self, counting: Sequence[Counted]) -> None:
        """Those that nobody is making yet; returns when they, or some of the others, are there: the
        rest is still missing when it is asked for again."""
        under_way = {
            self._making[each.counter_id] for each in counting if each.counter_id in self._making
        }
        if not under_way:
            task = asyncio.create_task(self._make(counting), name="langroute-counters")
            self._making |= {each.counter_id: task for each in counting}
            task.add_done_callback(self._made)
            under_way = {task}
        done, waiting = await asyncio.wait(under_way, timeout=self._within_s)
        if waiting:
            raise StoreUnavailable
        for task in done:
            task.result()

    async def make_with(self, connection: AsyncConnection, counting: Sequence[Counted]) -> None:
        """In the same transaction."""
        await make_counters(connection, counting, self._longest_call_ns, self._now_ns())

    async def aclose(self) -> None:
        making = set(self._making.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    async def _make(self, counting: Sequence[Counted]) -> None:
        async with self._database.transaction() as connection:
            await self.make_with(connection, counting)

    def _made(self, task: asyncio.Task[None]) -> None:
        self._making = {id_: each for id_, each in self._making.items() if each is not task}
        if not task.cancelled() and (error := task.exception()):
            _log.warning("what limits have counted cannot be read from the ledger: %r", error)
