import asyncio
import json
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from decimal import Decimal
from functools import partial

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from ...domain.errors import StoreUnavailable
from .address import to_asyncpg
from .failures import FOREIGN, needs_an_operator

_CONNECT_S = 5.0
_TRANSACTION_S = 15.0
_POOL_SIZE = 5

_log = logging.getLogger(__name__)


class Database:
    """One Postgres database: a small pool of connections, and none before the first use.

    A connection that died while it was idle is replaced when it is asked for, so a restart of
    Postgres heals by itself.
    """

    def __init__(self, url: str, *, pool_size: int = _POOL_SIZE) -> None:
        self._url = to_asyncpg(url)
        self.engine = create_async_engine(
            "postgresql+asyncpg://",
            # asyncpg reads the address, as libpq would: sockets, sslmode, several hosts.
            async_creator=self.connect,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=_CONNECT_S,
            pool_pre_ping=True,
            # A rate that an operator wrote as a JSON number must not become a float.
            json_deserializer=partial(json.loads, parse_float=Decimal),
        )

    async def connect(self) -> "asyncpg.Connection[asyncpg.Record]":
        """A connection outside the pool."""
        return await asyncpg.connect(
            self._url,
            timeout=_CONNECT_S,
            server_settings={"application_name": "langroute"},
        )

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """Committed at the end, within a bounded time. Raises what SQLAlchemy raises."""
        # Bounded here and not by the server's `statement_timeout`: it must also hold for a server
        # that no longer answers.
        async with asyncio.timeout(_TRANSACTION_S), self.engine.begin() as connection:
            yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """Raises StoreUnavailable."""
        with _translated():
            async with self.transaction() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Everything in it sees the same moment. Raises StoreUnavailable."""
        with _translated():
            async with asyncio.timeout(_TRANSACTION_S), self.engine.connect() as connection:
                yield await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )

    async def aclose(self) -> None:
        await self.engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FOREIGN as error:
        if needs_an_operator(error):
            _log.error("Postgres refused: %s", error)
        raise StoreUnavailable from error
