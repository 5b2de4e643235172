from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Self

from ...application.ports.ledger import LedgerReports, LedgerWriter, SpendLine, SpendQuery
from ...domain.ids import KeyId
from ...domain.ledger import LedgerEntry
from .batches import Batches
from .database import Database
from .ledger_reports import PostgresReports
from .ledger_rows import in_order, to_post, write
from .postings import POST
from .statements import Statement

_GATHER_S = 0.1
_CLOSE_S = 10.0
_WRITE_S = 15.0

# About a kilobyte each. Calls under way are still recorded beyond it; none is admitted.
_CAPACITY = 50_000


class PostgresLedger:
    """Takes entries without waiting, and writes them in batches once started.

    While Postgres is away they are kept, and tried again. Written twice or not, an entry counts
    once. If the process is killed, what was recorded and not yet written is lost: at most a tenth
    of a second's entries while Postgres answers. Those calls settle at what was reserved for them.

    What it `follows` is written first: no entry is ever there without its call's reservation.
    """

    def __init__(self, database: Database, *, capacity: int = _CAPACITY) -> None:
        self._database = database
        self._reports = PostgresReports(database)
        self._capacity = capacity
        self._first: list[Callable[[], Awaitable[None]]] = []
        self._post = Statement(database, POST, connections=1, within_s=_WRITE_S)
        self._batches: Batches[LedgerEntry] = Batches(
            self._write, what="ledger entries", gather_s=_GATHER_S
        )

    def follows(self, written: Callable[[], Awaitable[None]]) -> None:
        """It returns once whatever was taken on before is durable. Raises TimeoutError where that
        is not to be expected now."""
        self._first.append(written)

    def record(self, entry: LedgerEntry) -> None:
        self._batches.add(entry)

    def has_room(self) -> bool:
        return len(self) < self._capacity

    def __len__(self) -> int:
        """How many entries wait to be written."""
        return len(self._batches)

    async def spend(self, query: SpendQuery) -> Sequence[SpendLine]:
        return await self._reports.spend(query)

    async def entries(self, key_id: KeyId | None, limit: int) -> Sequence[LedgerEntry]:
        return await self._reports.entries(key_id, limit)

    def at_rest(self) -> AbstractAsyncContextManager[Sequence[LedgerEntry]]:
        """As long as it is held nothing is written: what is given is recorded, and is not in the
        ledger yet. What is recorded meanwhile is added to it."""
        return self._batches.at_rest()

    def start(self) -> None:
        self._batches.start()

    async def written(self) -> None:
        """Returns once what was recorded so far is durable, or where that is not to be expected
        soon. Nothing is written any sooner for it."""
        number = self._batches.added
        while not (self._batches.has_written(number) or self._batches.is_failing):
            await self._batches.progress(hurried=False)

    async def flush(self) -> None:
        """Returns once everything recorded so far is written, however long that takes."""
        await self._batches.flush()

    async def aclose(self, within_s: float = _CLOSE_S) -> None:
        """Writes what is left, for so long, then stops."""
        await self._batches.aclose(within_s)
        await self._post.aclose()

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

    async def _write(self, batch: Sequence[LedgerEntry]) -> None:
        for written in self._first:
            await written()
        ordered = in_order(batch)
        (row,) = await self._post.fetch(lambda: (to_post(ordered), None))
        if len(row["places"]) < len(ordered):
            # Told before, or by another process: some may have to be corrected.
            known = set(range(len(ordered))).difference(row["places"])
            async with self._database.transaction() as connection:
                await write(connection, [ordered[place] for place in known])


_: type[LedgerWriter] = PostgresLedger
_reports: type[LedgerReports] = PostgresLedger
