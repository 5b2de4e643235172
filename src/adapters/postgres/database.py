import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from copy import copy
from decimal import Decimal
from functools import partial
from typing import Self

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ...domain.errors import StoreUnavailable
from ...domain.stores import Store
from .address import to_asyncpg
from .failures import FOREIGN, needs_an_operator, told

_CONNECT_S = 5.0
_TRANSACTION_S = 15.0
_POOL_SIZE = 5
_MAX_DIGITS = 1_000
# Until the end of the transaction. The audit log reads it: migration 0010.
_ACT_AS = text("select set_config('langroute.actor', :actor, true)")

_log = logging.getLogger(__name__)


class Database:
    """One Postgres database: a small pool of connections, and none before the first use.

    A connection that died while it was idle is replaced when it is asked for, so a restart of
    Postgres heals by itself. `actor` tells on whose behalf something is written; without it, that
    is the role that logs in.
    """

    store = Store.CONFIGURATION

    def __init__(
        self, url: str, *, pool_size: int = _POOL_SIZE, actor: Callable[[], str] | None = None
    ) -> None:
        self._url = to_asyncpg(url)
        self._actor = actor
        self.engine = create_async_engine(
            "postgresql+asyncpg://",
            # asyncpg reads the address, as libpq would: sockets, sslmode, several hosts.
            async_creator=self.connect,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_CONNECT_S,
            pool_pre_ping=True,
            # Among them are digests of keys and credentials.
            hide_parameters=True,
            # A rate that an operator wrote as a JSON number must not become a float.
            json_deserializer=partial(json.loads, parse_float=Decimal, parse_int=_whole),
        )

    def of(self, store: Store) -> Self:
        """The same, for who keeps something else in it: errors tell what is away."""
        same = copy(self)
        same.store = store
        return same

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection outside the pool."""
        return await asyncpg.connect(
            self._url,
            timeout=_CONNECT_S,
            server_settings={"application_name": "langroute"},
        )

    @asynccontextmanager
    async def transaction(
        self, *, within_s: float = _TRANSACTION_S
    ) -> AsyncIterator[AsyncConnection]:
        """Committed at the end, within a bounded time. Raises what SQLAlchemy raises."""
        # Bounded here and not by the server's `statement_timeout`: it must also hold for a server
        # that no longer answers.
        async with asyncio.timeout(within_s), self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self, *, within_s: float = _TRANSACTION_S) -> AsyncIterator[AsyncConnection]:
        """Raises StoreUnavailable."""
        with _translated(self.store):
            async with self.transaction(within_s=within_s) as connection:
                yield connection

    @asynccontextmanager
    async def changing(self) -> AsyncIterator[AsyncConnection]:
        """For what administrators change: the audit log is told for whom. Raises
        StoreUnavailable."""
        async with self.writing() as connection:
            if self._actor is not None:
                await connection.execute(_ACT_AS, {"actor": self._actor()})
            yield connection

    @asynccontextmanager
    async def reading(self, *, within_s: float = _TRANSACTION_S) -> AsyncIterator[AsyncConnection]:
        """Everything in it sees the same moment. Raises StoreUnavailable."""
        with _translated(self.store):
            async with asyncio.timeout(within_s), self.engine.connect() as connection:
                yield await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )

    async def aclose(self) -> None:
        await self.engine.dispose()


def _whole(digits: str) -> int | Decimal:
    """Postgres keeps numbers in JSON that are too long for Python to read as whole ones."""
    return int(digits) if len(digits) <= _MAX_DIGITS else Decimal(digits)


@contextmanager
def _translated(store: Store) -> Iterator[None]:
    try:
        yield
    except FOREIGN as error:
        if needs_an_operator(error):
            _log.error("Postgres refused: %s", told(error))
        raise StoreUnavailable(store) from error
