import asyncio
import time
from collections import deque

from ...domain.errors import StoreUnavailable
from ...domain.stores import Store

_LONGEST = 10


class Turns:
    """So many at a time, in the order in which they come.

    Many who come at once are no sign that nothing answers: whoever waits gives up once there has
    been no `progress` for `within_s`, and in any case after ten times as long. Then it raises
    StoreUnavailable.
    """

    def __init__(self, count: int, within_s: float) -> None:
        self._free = count
        self._within_s = within_s
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._progress_s = 0.0

    def progress(self) -> None:
        self._progress_s = time.monotonic()

    async def __aenter__(self) -> None:
        if self._free:
            self._free -= 1
        else:
            await self._wait()

    async def __aexit__(self, *_: object) -> None:
        self._pass_on()

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        began_s = time.monotonic()
        try:
            while not turn.done():
                await asyncio.wait({turn}, timeout=self._within_s)
                self._check_patience(turn, began_s)
        except BaseException:
            if turn.done():  # it came too late
                self._pass_on()
            turn.cancel()
            raise

    def _check_patience(self, turn: "asyncio.Future[None]", began_s: float) -> None:
        now_s = time.monotonic()
        stands_still = now_s - max(self._progress_s, began_s) >= self._within_s
        takes_too_long = now_s - began_s >= _LONGEST * self._within_s
        if not turn.done() and (stands_still or takes_too_long):
            raise StoreUnavailable(Store.COUNTERS)

    def _pass_on(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
