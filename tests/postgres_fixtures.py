"""A real Postgres for the whole session, and a database of its own for each test that wants one."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.embedded import EmbeddedPostgres
from langroute.adapters.postgres.embedded_binaries import account_for, run
from langroute.adapters.postgres.migrate import migrate
from langroute.entrypoints.lifecycle import open_container
from langroute.entrypoints.settings import load_settings

MIGRATED = "migrated"
# As the first start of a gateway leaves it: with its catalogue.
_STARTED = "started"
_EMPTY = "template0"
# Nothing here has to outlive a power cut.
# What is committed must outlive a server that is killed, so not without `synchronous_commit`.
_FAST = ("fsync = off", "full_page_writes = off")
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Databases:
    """Makes databases in a few hundredths of a second, by copying: one that is migrated, or one on
    which a gateway was started."""

    server_url: str

    @asynccontextmanager
    async def migrated(self) -> AsyncIterator[Database]:
        async with self.url(MIGRATED) as url:
            database = Database(url)
            try:
                yield database
            finally:
                await database.aclose()

    @asynccontextmanager
    async def url(self, template: str = _STARTED) -> AsyncIterator[str]:
        name = f"test_{next(_numbers)}"
        await self.execute(f"create database {name} template {template}")
        try:
            yield with_database(self.server_url, name)
        finally:
            await self.execute(f"drop database {name} with (force)")

    async def execute(self, *statements: str) -> None:
        server = Database(self.server_url)
        await type_in(server, *statements)


def with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


async def type_in(database: Database, *statements: str) -> None:
    """As an operator would, in psql."""
    connection = await database.connect()
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@dataclass(frozen=True, slots=True)
class Server:
    """A Postgres that a test may stop and start."""

    folder: Path
    databases: Databases

    async def stop(self, mode: str = "fast") -> None:
        user = account_for(self.folder / "data")
        stop = ["stop", "-s", "-w", "-m", mode, "-D", "data"]
        await asyncio.to_thread(run, "pg_ctl", stop, user=user, folder=self.folder)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Starts it where it does not run."""
        async with EmbeddedPostgres(self.folder):
            yield


@asynccontextmanager
async def new_server() -> AsyncIterator[Server]:
    # Not in pytest's own folder for temporary files: each run of pytest closes that to the account
    # that Postgres runs under.
    folder = Path(tempfile.mkdtemp(prefix="langroute-tests-"))
    try:
        async with EmbeddedPostgres(folder) as embedded:
            databases = Databases(embedded.url)
            await databases.execute(*(f"alter system set {setting}" for setting in _FAST))
            await databases.execute("select pg_reload_conf()", f"create database {MIGRATED}")
            template = Database(with_database(embedded.url, MIGRATED))
            await migrate(template.engine)
            await template.aclose()
            await databases.execute(f"create database {_STARTED} template {MIGRATED}")
            started = with_database(embedded.url, _STARTED)
            async with open_container(
                load_settings(database_url=started, encryption_key=secrets.token_hex(32))
            ):
                pass
            yield Server(folder, databases)
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
async def databases() -> AsyncIterator[Databases]:
    async with new_server() as server:
        yield server.databases


@pytest.fixture(scope="session")
async def the_server_to_stop() -> AsyncIterator[Server]:
    async with new_server() as server:
        yield server


@pytest.fixture
async def server(the_server_to_stop: Server) -> AsyncIterator[Server]:
    """One that nobody else uses. It runs again after the test, whatever the test did."""
    try:
        yield the_server_to_stop
    finally:
        async with the_server_to_stop.running():
            pass


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    """A migrated database with nothing in it."""
    async with databases.migrated() as database:
        yield database


@pytest.fixture
async def database_url(databases: Databases) -> AsyncIterator[str]:
    """The address of a database that has what a gateway brings at its first start."""
    async with databases.url() as url:
        yield url


@pytest.fixture
async def empty_database(databases: Databases) -> AsyncIterator[Database]:
    """A database that was never migrated."""
    async with databases.url(_EMPTY) as url:
        database = Database(url)
        yield database
        await database.aclose()
