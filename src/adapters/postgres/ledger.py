import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from itertools import islice
from types import TracebackType
from typing import Self

from ...application.ports.ledger import LedgerReports, LedgerWriter, SpendLine, SpendQuery
from ...domain.ids import KeyId
from ...domain.ledger import LedgerEntry
from .database import Database
from .failures import FOREIGN, blames_the_values
from .ledger_reports import PostgresReports
from .ledger_rows import write

# Putting a batch on the wire keeps the event loop busy for some 20 µs an entry: more at once would
# be felt by the calls under way.
_BATCH = 200
_GATHER_S = 0.1
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 2.0
_CLOSE_S = 10.0

# About a kilobyte each. Calls under way are still recorded beyond it; none is admitted.
_CAPACITY = 50_000

_log = logging.getLogger(__name__)


class PostgresLedger:
    """Takes entries without waiting, and writes them in batches once started.

    While Postgres is away they are kept, and tried again. Written twice or not, an entry counts
    once. What was recorded and not yet written is lost if the process is killed: at most a tenth of
    a second's entries while Postgres answers.
    """

    def __init__(self, database: Database, *, capacity: int = _CAPACITY) -> None:
        self._database = database
        self._reports = PostgresReports(database)
        self._capacity = capacity
        self._waiting: deque[LedgerEntry] = deque()
        self._recorded = 0
        self._done = 0
        self._flushing = 0
        self._arrived = asyncio.Event()
        self._hurry = asyncio.Event()
        self._progress = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def record(self, entry: LedgerEntry) -> None:
        self._waiting.append(entry)
        self._recorded += 1
        self._arrived.set()
        if len(self._waiting) >= _BATCH:
            self._hurry.set()

    def has_room(self) -> bool:
        return len(self._waiting) < self._capacity

    def __len__(self) -> int:
        """How many entries wait to be written."""
        return len(self._waiting)

    async def spend(self, query: SpendQuery) -> Sequence[SpendLine]:
        return await self._reports.spend(query)

    async def entries(self, key_id: KeyId | None, limit: int) -> Sequence[LedgerEntry]:
        return await self._reports.entries(key_id, limit)

    def start(self) -> None:
        self._task = asyncio.create_task(self._write_for_ever(), name="langroute-ledger")

    async def flush(self) -> None:
        """Returns once everything recorded so far is written, however long that takes."""
        until = self._recorded
        self._flushing += 1
        self._hurry.set()
        try:
            while self._done < until:
                await self._progress.wait()
        finally:
            self._flushing -= 1

    async def aclose(self, within_s: float = _CLOSE_S) -> None:
        """Writes what is left, for so long, then stops."""
        if self._task is None:
            return
        try:
            async with asyncio.timeout(within_s):
                await self.flush()
        except TimeoutError:
            _log.error("%d ledger entries could not be written and are lost", len(self))
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None

    async def __aenter__(self) -> Self:
        self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def _write_for_ever(self) -> None:
        while True:
            await self._gather()
            batch = list(islice(self._waiting, _BATCH))
            await self._settle(batch)
            for _ in batch:
                self._waiting.popleft()
            self._done += len(batch)
            progress, self._progress = self._progress, asyncio.Event()
            progress.set()

    async def _gather(self) -> None:
        """Until there are entries, and a while longer for more of them."""
        if not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        if self._flushing or len(self._waiting) >= _BATCH:
            return
        self._hurry.clear()
        try:
            async with asyncio.timeout(_GATHER_S):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _settle(self, batch: Sequence[LedgerEntry]) -> None:
        """Returns once they are written. One that can never be is told of in the log, whole, so
        that it does not hold up the others for ever."""
        fault = await self._write(batch)
        if fault is None:
            return
        if len(batch) == 1:
            _log.error("left out of the ledger: %r", batch[0], exc_info=fault)
            return
        half = len(batch) // 2
        await self._settle(batch[:half])
        await self._settle(batch[half:])

    async def _write(self, batch: Sequence[LedgerEntry]) -> Exception | None:
        """Tries until it succeeds; what is wrong where the entries themselves are at fault."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                async with self._database.transaction() as connection:
                    await write(connection, batch)
            except Exception as error:  # noqa: BLE001  (whatever it is, no entry may be lost to it)
                if blames_the_values(error):
                    return error
                mystery = not isinstance(error, FOREIGN)
                _log.warning(
                    "%d ledger entries wait for Postgres: %r", len(self), error, exc_info=mystery
                )
            else:
                return None
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)


_: type[LedgerWriter] = PostgresLedger
_reports: type[LedgerReports] = PostgresLedger
