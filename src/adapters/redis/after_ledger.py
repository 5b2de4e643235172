import asyncio
from collections.abc import Awaitable, Callable

from .line import Line
from .orders import Order

_PATIENCE_S = 2.0


class AfterLedger:
    """Tells the server of a settlement once the ledger has its entry.

    The other way round, a process that is killed in between would leave a call that has given back
    here what it did not use, and that is paid for at its bound there. So it leaves one that still
    holds its bound, and whose entry tells whoever finds it what it used. While the ledger cannot be
    written, the server is told all the same: calls must not hold what they do not use for as long.
    """

    def __init__(self, line: Line, written: Callable[[], Awaitable[object]]) -> None:
        self._line = line
        self._written = written
        self._waiting: list[Order] = []
        self._task: asyncio.Task[None] | None = None

    def tell(self, order: Order) -> None:
        self._waiting.append(order)
        if self._task is None:
            self._task = asyncio.create_task(self._pass_on(), name="langroute-after-ledger")

    async def flush(self) -> None:
        """Returns once the line has all that was told so far."""
        if self._task is not None:
            await asyncio.shield(self._task)

    async def _pass_on(self) -> None:
        while self._waiting:
            orders, self._waiting = self._waiting, []
            try:
                async with asyncio.timeout(_PATIENCE_S):
                    await self._written()
            except TimeoutError:
                pass
            for order in orders:
                self._line.tell(order)
        self._task = None
