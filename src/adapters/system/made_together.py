import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
R = TypeVar("R")

_TOGETHER = 200
_MOST_ALONE = 1_000

_log = logging.getLogger(__name__)


class MadeTogether(Generic[K, V, R]):
    """What is wanted while others are made is made together after them, once each, however many
    calls came that want it. What could not be made is tried alone when it is next wanted, so that
    nobody fails again and again for another. `what` they are is for the log.
    """

    def __init__(self, make: Callable[[Sequence[V]], Awaitable[R]], *, what: str) -> None:
        self._make = make
        self._what = what
        self._made: dict[K, asyncio.Future[R]] = {}
        self._waiting: dict[K, V] = {}
        self._alone: set[K] = set()
        self._task: asyncio.Task[None] | None = None

    def wanted(self, key: K, value: V) -> asyncio.Future[R]:
        """What making it, with others, came to. It is shared: cancel it for nobody."""
        future = self._made.get(key)
        if future is None:
            future = self._made[key] = asyncio.get_running_loop().create_future()
            self._waiting[key] = value
        if self._task is None:
            name = f"langroute-{self._what.replace(' ', '-')}"
            self._task = asyncio.create_task(self._make_all(), name=name)
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
                    came_to = await self._make(list(batch.values()))
                except Exception as error:  # noqa: BLE001  (who waits must hear, whatever it is)
                    _log.warning("%s cannot be made: %r", self._what, error)
                    self._have_failed(batch, error)
                else:
                    self._are_there(batch, came_to)
        finally:
            self._task = None

    def _next_batch(self) -> dict[K, V]:
        first = next(iter(self._waiting))
        together = (key for key in self._waiting if key not in self._alone)
        keys = [first] if first in self._alone else [*islice(together, _TOGETHER)]
        return {key: self._waiting.pop(key) for key in keys}

    def _are_there(self, keys: Iterable[K], came_to: R) -> None:
        for key in keys:
            self._alone.discard(key)
            self._made.pop(key).set_result(came_to)

    def _have_failed(self, keys: Iterable[K], error: Exception) -> None:
        if len(self._alone) > _MOST_ALONE:
            self._alone.clear()
        for key in keys:
            self._alone.add(key)
            future = self._made.pop(key)
            future.set_exception(error)
            future.exception()  # perhaps nobody waits any more
