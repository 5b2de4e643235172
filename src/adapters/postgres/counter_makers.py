import asyncio
from collections.abc import Callable, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.admission import Counted, CounterId
from ...domain.errors import StoreUnavailable
from ...domain.stores import Store
from ..system.made_together import MadeTogether
from .database import Database
from .new_counters import make_counters

_Queue = MadeTogether[CounterId, Counted, None]


class CounterMakers:
    """Makes counters that are not there yet, each once, however many calls come that need it.

    A ledger may be long: whoever waits gives up after `within_s`, with StoreUnavailable, and the
    work goes on for those who come later. Counters that have a name are made apart from others:
    what their limits have counted is known for the most part, and need not be read.
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
        self._plain: _Queue = MadeTogether(self._make, what="counters of limits")
        self._named: _Queue = MadeTogether(self._make, what="counters that have names")

    async def make(self, counting: Sequence[Counted]) -> None:
        """Returns when all of them are there."""
        made = {
            (self._named if each.counter_id.name else self._plain).wanted(each.counter_id, each)
            for each in counting
        }
        done, waiting = await asyncio.wait(made, timeout=self._within_s)
        if waiting:
            raise StoreUnavailable(Store.COUNTERS)
        for future in done:
            future.result()

    async def make_with(self, connection: AsyncConnection, counting: Sequence[Counted]) -> None:
        """In the same transaction."""
        await make_counters(connection, counting, self._longest_call_ns, self._now_ns())

    async def aclose(self) -> None:
        await self._plain.aclose()
        await self._named.aclose()

    async def _make(self, counting: Sequence[Counted]) -> None:
        async with self._database.transaction() as connection:
            await self.make_with(connection, counting)
