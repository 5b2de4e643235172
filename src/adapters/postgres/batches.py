import asyncio
import logging
import math
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import islice
from typing import Generic, TypeVar

from ...application.alarm import Alarm
from ...domain.errors import StoreUnavailable
from ...domain.stores import Store
from ..system.lasting_task import LastingTask
from .failures import FOREIGN, blames_the_values

T = TypeVar("T")

# Putting a batch on the wire keeps the event loop busy for some 20 µs an item: more at once would
# be felt by the calls under way.
_BATCH = 200
# What fails alone is tried again: a partition that is made at this very moment blames the values.
_TRIES_ALONE = 3
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_CLOSE_S = 10.0

_log = logging.getLogger(__name__)


class Batches(Generic[T]):
    """Takes items without waiting, and writes them in order, many at a time, once started.

    What cannot be written now is kept, and tried again; what can never be, for its values or for a
    fault of ours, is told of in the log, whole, so that it does not hold up the others for ever.
    `what` they are is for the log. Once there is an item, more of them are waited for, `gather_s`
    long, unless somebody is in a hurry. A write that takes longer than `patience_s` is failing,
    whatever may come of it.
    """

    def __init__(
        self,
        write: Callable[[Sequence[T]], Awaitable[None]],
        *,
        what: str,
        gather_s: float,
        patience_s: float = math.inf,
    ) -> None:
        self._write = write
        self._what = what
        self._waiting: deque[T] = deque()
        self._added = 0
        self._done = 0
        self._wanted = asyncio.Event()
        self._progress = asyncio.Event()
        self._gathered = Alarm(gather_s, self._wanted.set)
        self._late = Alarm(patience_s, self._be_late)
        self._one_at_a_time = asyncio.Lock()
        self._task = LastingTask(self._write_for_ever, f"langroute-{what.replace(' ', '-')}")
        self.is_failing = False

    def __len__(self) -> int:
        """How many items wait to be written."""
        return len(self._waiting)

    @property
    def added(self) -> int:
        """The number of the last one."""
        return self._added

    def add(self, item: T) -> int:
        """Its number, which `has_written` wants."""
        self._waiting.append(item)
        self._added += 1
        self._want()
        return self._added

    def has_written(self, number: int) -> bool:
        return self._done >= number

    async def progress(self, *, hurried: bool = True) -> None:
        """Returns when the next batch is written, has failed, or is late, which is told again and
        again."""
        if hurried:
            self._wanted.set()
        await self._progress.wait()

    def start(self) -> None:
        self._task.start()

    async def flush(self) -> None:
        """Returns once everything added so far is written, however long that takes."""
        until = self._added
        while self._done < until:
            await self.progress()

    @asynccontextmanager
    async def at_rest(self) -> AsyncIterator[Sequence[T]]:
        """As long as it is held nothing is written: what is given waits to be. What is added
        meanwhile is added to it. Raises StoreUnavailable while nothing can be written."""
        if self.is_failing:
            raise StoreUnavailable(Store.LEDGER)
        async with self._one_at_a_time:
            yield self._waiting

    async def aclose(self, within_s: float = _CLOSE_S) -> None:
        """Writes what is left, for so long, then stops."""
        if not self._task.is_running:
            return
        try:
            async with asyncio.timeout(within_s):
                await self.flush()
        except TimeoutError:
            _log.error("%d %s could not be written and are lost", len(self), self._what)
        await self._task.aclose()

    async def _write_for_ever(self) -> None:
        while True:
            await self._wanted.wait()
            self._wanted.clear()
            if self._waiting:
                await self._write_next()

    async def _write_next(self) -> None:
        self._gathered.stop()
        async with self._one_at_a_time:
            batch = list(islice(self._waiting, _BATCH))
            await self._settle(batch)
            for _ in batch:
                self._waiting.popleft()
        self._done += len(batch)
        self._tell_progress()
        if self._waiting:
            self._want()

    def _want(self) -> None:
        """What waits is written now if that is much, and otherwise a while after it came."""
        if len(self._waiting) >= _BATCH:
            self._wanted.set()
        else:
            self._gathered.set()

    async def _settle(self, batch: Sequence[T]) -> None:
        """Returns once they are written, those that can be."""
        fault = await self._write_at_last(batch)
        if fault is None:
            return
        if len(batch) == 1:
            _log.error("left out of the %s: %r", self._what, batch[0], exc_info=fault)
            return
        half = len(batch) // 2
        await self._settle(batch[:half])
        await self._settle(batch[half:])

    async def _write_at_last(self, batch: Sequence[T]) -> Exception | None:
        """Tries until it succeeds; what is wrong where the items themselves are at fault."""
        pause_s = _FIRST_PAUSE_S
        tries_left = _TRIES_ALONE if len(batch) == 1 else 1
        while True:
            self._late.set()
            try:
                await self._write(batch)
            except Exception as error:  # noqa: BLE001  (whatever it is, nothing may be lost to it)
                mystery = not isinstance(error, (*FOREIGN, StoreUnavailable))
                self.is_failing = not (mystery or blames_the_values(error))
                tries_left -= not self.is_failing
                if not tries_left:
                    return error
                _log.warning(
                    "%d %s wait for Postgres: %r", len(self), self._what, error, exc_info=mystery
                )
            else:
                self.is_failing = False
                return None
            finally:
                self._late.stop()
            self._tell_progress()
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    def _be_late(self) -> None:
        """One timer for a batch, where each of those who wait for it would need his own."""
        self.is_failing = True
        self._tell_progress()
        self._late.set()

    def _tell_progress(self) -> None:
        progress, self._progress = self._progress, asyncio.Event()
        progress.set()
