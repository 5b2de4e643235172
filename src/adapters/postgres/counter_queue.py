import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice

from ...domain.admission import Counted, CounterId

_TOGETHER = 200
_MOST_ALONE = 1_000

_log = logging.getLogger(__name__)


class CounterQueue:
    """What is wanted while others are made is made together after them, however many calls came
    that met a limit first. What could not be made is tried alone when it is next wanted, so that
    nobody fails again and again for another."""

    def __init__(self, make: Callable[[Sequence[Counted]], Awaitable[None]]) -> None:
        self._make = make
        self._made: dict[CounterId, asyncio.Future[None]] = {}
        self._waiting: dict[CounterId, Counted] = {}
        self._alone: set[CounterId] = set()
        self._task: asyncio.Task[None] | None = None

    def wanted(self, each: Counted) -> asyncio.Future[None]:
        """It is done when the counter is there."""
        future = self._made.get(each.counter_id)
        if future is None:
            future = self._made[each.counter_id] = asyncio.get_running_loop().create_future()
            self._waiting[each.counter_id] = each
        if self._task is None:
            self._task = asyncio.create_task(self._make_all(), name="langroute-counters")
        return future

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        for future in self._made.values():
            future.cancel()

    async def _make_all(self) -> None:
        try:
            while self._waiting:
                batch = self._next_batch()
                try:
                    await self._make(batch)
                except Exception as error:  # noqa: BLE001  (who waits must hear, whatever it is)
                    _log.warning("counters of limits cannot be made: %r", error)
                    self._have_failed(batch, error)
                else:
                    self._are_there(batch)
        finally:
            self._task = None

    def _next_batch(self) -> Sequence[Counted]:
        first = next(iter(self._waiting))
        together = (counter_id for counter_id in self._waiting if counter_id not in self._alone)
        batch = [first] if first in self._alone else [*islice(together, _TOGETHER)]
        return [self._waiting.pop(counter_id) for counter_id in batch]

    def _are_there(self, batch: Sequence[Counted]) -> None:
        for each in batch:
            self._alone.discard(each.counter_id)
            self._made.pop(each.counter_id).set_result(None)

    def _have_failed(self, batch: Sequence[Counted], error: Exception) -> None:
        if len(self._alone) > _MOST_ALONE:
            self._alone.clear()
        for each in batch:
            self._alone.add(each.counter_id)
            future = self._made.pop(each.counter_id)
            future.set_exception(error)
            future.exception()  # perhaps nobody waits any more
