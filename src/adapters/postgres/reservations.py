import time
from collections.abc import Callable, Sequence

from ...application.ports.reservations import Reservations
from ...domain.admission import Reservation
from ...domain.errors import LedgerFull, StoreUnavailable
from ...domain.stores import Store
from .batches import Batches
from .database import Database
from .reservation_rows import WRITE, keep_swept, lost, to_write
from .statements import Statement
from .times import to_timestamp

# A call is not held up by this: whoever waits for its reservation is in a hurry. So it only makes
# fewer transactions of many calls.
_GATHER_S = 0.02
_PATIENCE_S = 2.0
_CLOSE_S = 5.0
_WRITE_S = 15.0

# About a kilobyte each.
_CAPACITY = 50_000


class PostgresReservations:
    """Takes reservations without waiting, and writes them in batches once started.

    While Postgres is away they are kept, and tried again. A call waits for its own to be written,
    at most `patience_s` long: then, or once it is known that Postgres is away, it goes on if that
    is wanted (`local`), and is refused otherwise, as are all that would follow it.

    Postgres' clock says when a lease has run out, unless `now_ns` does, for tests.
    """

    def __init__(
        self,
        database: Database,
        *,
        store: str = "memory",
        local: bool = True,
        capacity: int = _CAPACITY,
        patience_s: float = _PATIENCE_S,
        now_ns: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._database = database
        self._store = store
        self._local = local
        self._capacity = capacity
        self._patience_s = patience_s
        self._now_ns = now_ns
        # Many are written in a second: see Statement for what that saves.
        self._insert = Statement(database, WRITE, connections=1, within_s=_WRITE_S)
        self._batches: Batches[Reservation] = Batches(
            self._write, what="reservations", gather_s=_GATHER_S, patience_s=patience_s
        )
        # Each one's number in the batches. By the ids' numbers: see MemoryAdmission.
        self._numbers: dict[int, int] = {}

    def check_room(self) -> None:
        if len(self._batches) >= self._capacity:
            raise LedgerFull
        if self._batches.is_failing and not self._local:
            raise StoreUnavailable(Store.LEDGER)

    def hold(self, reservation: Reservation) -> None:
        self._numbers[reservation.ask.request_id.int] = self._batches.add(reservation)

    async def held(self, reservation: Reservation) -> None:
        number = self._numbers.get(reservation.ask.request_id.int, 0)
        until_s = time.monotonic() + self._patience_s
        while not self._batches.has_written(number):
            too_long = time.monotonic() >= until_s
            if self._local and (too_long or self._batches.is_failing):
                return
            if too_long:
                raise StoreUnavailable(Store.LEDGER)
            await self._batches.progress()

    def settled(self, reservation: Reservation) -> None:
        self._numbers.pop(reservation.ask.request_id.int, None)

    async def written(self) -> None:
        """Returns once all that is held so far is durable. Raises TimeoutError while Postgres is
        away."""
        until = self._batches.added
        while not self._batches.has_written(until):
            if self._batches.is_failing:
                raise TimeoutError("reservations wait for Postgres")
            await self._batches.progress()

    async def expired(self) -> Sequence[Reservation]:
        now_ns = self._now_ns()
        now = None if now_ns is None else to_timestamp(now_ns)
        async with self._database.reading() as connection:
            found = await lost(connection, now)
        until = to_timestamp(found[0].ask.lease_until_ns) if found else now
        async with self._database.writing() as connection:
            await keep_swept(connection, until)
        return found

    def __len__(self) -> int:
        """How many wait to be written."""
        return len(self._batches)

    def start(self) -> None:
        self._batches.start()

    async def flush(self) -> None:
        await self._batches.flush()

    async def aclose(self, within_s: float = _CLOSE_S) -> None:
        await self._batches.aclose(within_s)
        await self._insert.aclose()

    async def _write(self, batch: Sequence[Reservation]) -> None:
        await self._insert.fetch(lambda: (to_write(batch, self._store),))


_: type[Reservations] = PostgresReservations
