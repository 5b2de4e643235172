"""Opens what the container wires, in order, and closes it again, in the other one."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from dependency_injector import providers
from pydantic import SecretStr

from ..adapters.memory.admission import MemoryAdmission
from ..adapters.memory.ledger import MemoryLedger
from ..adapters.memory.stand_in import StandIn
from ..adapters.postgres.database import Database
from ..adapters.postgres.embedded import EmbeddedPostgres
from ..adapters.postgres.revision import is_current
from .chores import forgetting_replies, keeping_up, make_ahead, sweeping
from .container import Container, memory_container
from .encryption import encryption_keys
from .settings import Settings

NO_ADAPTERS: Mapping[str, object] = {}
_KEY_BYTES = 32
_LISTENING_S = 5.0


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[str]:
    """The URL of the database: the one that is set, or that of the embedded one, started."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    async with EmbeddedPostgres(settings.data_dir / "postgres") as embedded:
        yield embedded.url


@asynccontextmanager
async def open_prepared_database(settings: Settings) -> AsyncIterator[str]:
    """The same, with its tables, and something in them: for several processes at once."""
    async with open_database(settings) as url:
        on_it = settings.model_copy(update={"database_url": SecretStr(url)})
        async with open_container(on_it):
            pass
        yield url


@asynccontextmanager
async def open_container(
    settings: Settings, *, serving: bool = False, adapters: Mapping[str, object] = NO_ADAPTERS
) -> AsyncIterator[Container]:
    """A container whose gateway works, on a migrated database.

    With `serving` it also hears of changes, so that its caches stay true; without, it is for one
    use from the command line. `adapters` take the place of the container's own, by name. Closing
    it writes the last entries of the ledger.
    """
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(open_database(settings))
        container = Container(
            settings=settings, database_url=url, encryption_keys=encryption_keys(settings)
        )
        _swap(container, adapters)
        await _prepare(container, stack)
        _start_writers(container, stack)
        _start_redis(container, stack)
        await stack.enter_async_context(container.http_client())
        if serving:
            await _start_serving(container, stack)
        yield container


@asynccontextmanager
async def open_memory_container(
    settings: Settings, *, adapters: Mapping[str, object] = NO_ADAPTERS
) -> AsyncIterator[Container]:
    """The same without a database: everything is gone when it is closed."""
    container = memory_container(settings, [secrets.token_bytes(_KEY_BYTES)])
    _swap(container, adapters)
    await container.gateway().seed_catalogue()
    ledger = container.ledger()
    if isinstance(ledger, MemoryLedger):
        ledger.tells(container.memory_admission().recount)
    async with container.http_client():
        with sweeping(container), forgetting_replies(container):
            yield container


async def _prepare(container: Container, stack: AsyncExitStack) -> None:
    """The database as it is to be: migrated, with a catalogue, and with the months ahead."""
    database = container.database()
    stack.push_async_callback(database.aclose)
    if not await is_current(database.engine):
        from ..adapters.postgres.migrate import migrate  # noqa: PLC0415  (see revision.py)

        await migrate(database.engine)
    catalogue = container.cached_catalogue()
    await catalogue.refresh()
    if not catalogue.current().providers:
        await container.gateway().seed_catalogue()
    await make_ahead(container.partitions())


def _start_writers(container: Container, stack: AsyncExitStack) -> None:
    reservations, ledger = container.postgres_reservations(), container.postgres_ledger()
    ledger.follows(reservations.written)
    for writer in (reservations, ledger):
        writer.start()
        stack.push_async_callback(writer.aclose)
    stack.push_async_callback(container.postgres_admission().aclose)


def _start_redis(container: Container, stack: AsyncExitStack) -> None:
    """Where limits are counted there. Closing it tells it what was settled last."""
    if container.settings().admission_store == "redis":
        line = container.redis_line()
        line.start()
        stack.push_async_callback(line.aclose)
        stack.push_async_callback(container.redis_admission().aclose)


async def migrate_database(settings: Settings, revision: str, *, down: bool) -> None:
    from ..adapters.postgres.migrate import downgrade, migrate  # noqa: PLC0415  (see revision.py)

    async with open_database(settings) as url:
        database = Database(url)
        try:
            await (downgrade if down else migrate)(database.engine, revision)
        finally:
            await database.aclose()


def _swap(container: Container, adapters: Mapping[str, object]) -> None:
    for name, adapter in adapters.items():
        if name not in container.providers:
            raise TypeError(f"the container wires nothing that is called {name!r}")
        container.providers[name].override(providers.Object(adapter))


async def _start_serving(container: Container, stack: AsyncExitStack) -> None:
    store = container.settings().admission_store
    admission = container.admission()
    if isinstance(admission, MemoryAdmission):
        await admission.take_over()
    elif isinstance(admission, StandIn):
        stack.push_async_callback(admission.aclose)
        if store == "postgres":
            # It keeps their reservations.
            container.postgres_ledger().follows(admission.counted)
    if store == "redis":
        corrections = container.redis_corrections()
        corrections.start()
        stack.push_async_callback(corrections.aclose)
    await _follow_changes(container, stack)
    stack.enter_context(sweeping(container))
    stack.enter_context(keeping_up(container.partitions(), container.old_changes()))
    stack.enter_context(forgetting_replies(container))


async def _follow_changes(container: Container, stack: AsyncExitStack) -> None:
    catalogue, changes = container.cached_catalogue(), container.changes()
    catalogue.start()
    stack.push_async_callback(catalogue.aclose)
    changes.start()
    stack.push_async_callback(changes.aclose)
    async with asyncio.timeout(_LISTENING_S):
        await changes.ready.wait()
