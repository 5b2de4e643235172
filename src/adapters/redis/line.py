import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from ...domain.errors import StoreUnavailable
from ...domain.stores import Store
from .connecting import Client, warn_of_evictions
from .orders import FOREIGN, Order, carry_out, teach

# As much as a server does in a few milliseconds.
_BATCH = 200
_CAPACITY = 50_000
_WAIT_S = 1.0
_FIRST_PAUSE_S = 0.02
_LONGEST_PAUSE_S = 0.5
_CLOSE_S = 10.0
_HANG_UP_S = 1.0

_log = logging.getLogger(__name__)


class Line:
    """The way to the server. What is asked while a batch is under way goes with the next one, in
    the order in which it was asked: one call at a time is one round trip, and many are no more.

    While the server is away, orders are kept and tried again; those that somebody waits for, until
    he gives up.
    """

    def __init__(
        self,
        connect: Callable[[], Client],
        *,
        within_s: float = _WAIT_S,
        capacity: int = _CAPACITY,
    ) -> None:
        self._connect = connect
        self._within_s = within_s
        self._capacity = capacity
        self._client: Client | None = None
        self._waiting: deque[Order] = deque()
        self._under_way: Sequence[Order] = ()
        self._arrived = asyncio.Event()
        self._progress = asyncio.Event()
        self._failing_since: float | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def is_away(self) -> bool:
        """Whether nothing has come through for so long that it is vain to wait."""
        since = self._failing_since
        return since is not None and time.monotonic() - since > self._within_s

    def check(self) -> None:
        """Raises StoreUnavailable where it is vain to ask, and without room: what calls then used
        could not be told any more."""
        if self.is_away or len(self._waiting) >= self._capacity:
            raise StoreUnavailable(Store.COUNTERS)

    def __len__(self) -> int:
        return len(self._waiting) + len(self._under_way)

    def tell(self, order: Order) -> None:
        """To be done, sooner or later."""
        self._waiting.append(order)
        self._arrived.set()

    async def ask(self, order: Order) -> Any:
        """Raises StoreUnavailable after `within_s` at most. Then, as where the caller is cancelled,
        an order that `was_sent` may have been carried out."""
        self.post(order)
        return await self.answer_to(order)

    def post(self, order: Order) -> None:
        """To be done while somebody waits for it. Raises StoreUnavailable."""
        self.check()
        order.answer = asyncio.get_running_loop().create_future()
        self.tell(order)

    async def answer_to(self, order: Order) -> Any:
        """To one that was posted. Raises StoreUnavailable."""
        assert order.answer is not None  # noqa: S101
        try:
            async with asyncio.timeout(self._within_s):
                return await order.answer
        except FOREIGN as error:
            if not isinstance(error, TimeoutError):
                _log.error("the store cannot decide: %s", error)
            raise StoreUnavailable(Store.COUNTERS) from error

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="langroute-store")

    async def flush(self) -> None:
        """Returns once all that was told so far is done, however long that takes."""
        while len(self):
            await self._progress.wait()

    async def aclose(self, within_s: float = _CLOSE_S) -> None:
        """Does what is left, for so long, then stops."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(within_s):
                await self.flush()
        except TimeoutError:
            _log.error("%d calls could not be settled in the store", len(self))
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
        await self._hang_up()

    async def _run(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            self._under_way = await self._next_batch()
            left = await self._carry_out(self._under_way or [Order(args=["PING"])])
            if self._under_way:
                self._waiting.extendleft(reversed(left))
                self._under_way = ()
            self._has_progressed()
            if self._failing_since is None:
                pause_s = _FIRST_PAUSE_S
            else:
                await asyncio.sleep(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _next_batch(self) -> Sequence[Order]:
        """Without any where it is to be found out whether the server is back."""
        while True:
            batch: list[Order] = []
            while self._waiting and len(batch) < _BATCH:
                order = self._waiting.popleft()
                if order.is_wanted:
                    batch.append(order)
            if batch or self._failing_since is not None:
                return batch
            self._has_progressed()
            self._arrived.clear()
            await self._arrived.wait()

    def _has_progressed(self) -> None:
        progress, self._progress = self._progress, asyncio.Event()
        progress.set()

    async def _carry_out(self, batch: Sequence[Order]) -> list[Order]:
        """Returns those that have to be tried again."""
        try:
            if self._client is None:
                self._client = self._connect()
                await teach(self._client)
                await warn_of_evictions(self._client)
            left, reason = await carry_out(self._client, batch)
        except Exception as error:  # noqa: BLE001  (if this ended, no call would be settled again)
            left, reason = list(batch), error
            if not isinstance(error, FOREIGN) and self._failing_since is None:
                _log.exception("the store cannot be asked; trying again")
        if reason is not None:
            # It may be another server that is to be asked from now on.
            await self._hang_up()
            if self._failing_since is None:
                self._failing_since = time.monotonic()
                _log.warning("the store does not answer: %s", reason)
        elif self._failing_since is not None:
            self._failing_since = None
            _log.warning("the store answers again")
        return [again(order) for order in left if order.is_wanted]

    async def _hang_up(self) -> None:
        """Answers that nobody waits for any more must not be taken for those of later orders."""
        client, self._client = self._client, None
        if client is None:
            return
        with suppress(*FOREIGN):
            async with asyncio.timeout(_HANG_UP_S):
                await client.aclose()


def again(order: Order) -> Order:
    """An admission that was sent may have been carried out: it is not to be counted twice."""
    if order.script is not None and order.was_sent and order.args[0] == "admit":
        order.args[0] = "again"
    return order
