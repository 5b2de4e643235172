import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import asyncpg

from .database import Database
from .turns import Turns


class Statement:
    """One statement, prepared on a few connections that do nothing else.

    Without SQLAlchemy in between: measured once with the least statement there is, that took 60 µs
    of CPU here for 700 µs there, and one round trip for four (a ping, BEGIN, the statement,
    COMMIT).
    """

    def __init__(self, database: Database, sql: str, *, connections: int, within_s: float) -> None:
        self._database = database
        self._sql = sql
        self._within_s = within_s
        self._turns = Turns(connections, within_s)
        self._idle: list[_Prepared] = []
        self._closed = False

    async def fetch(self, arguments: Callable[[], Sequence[object]]) -> Sequence[Any]:
        """Its rows, within the time that is allowed; whoever has to wait for his turn, when the
        `arguments` are made, may wait for longer, as long as the others get answers. Raises what
        asyncpg raises, TimeoutError, and StoreUnavailable where no turn came."""
        async with self._turns:
            if prepared := self._reusable():
                return await self._ask(prepared, arguments)
            async with asyncio.timeout(self._within_s):
                return await self._ask(await self._connect(), arguments)

    async def aclose(self) -> None:
        self._closed = True
        while self._idle:
            await self._idle.pop().connection.close(timeout=self._within_s)

    async def _ask(
        self, prepared: "_Prepared", arguments: Callable[[], Sequence[object]]
    ) -> Sequence[Any]:
        fetch = prepared.statement.fetch
        try:
            rows: Sequence[Any] = await fetch(*arguments(), timeout=self._within_s)
        except asyncpg.PostgresError:
            self._give_back(prepared)
            raise
        except BaseException:
            # What it is doing may still come to an end, but nobody waits for that.
            prepared.connection.terminate()
            raise
        self._give_back(prepared)
        return rows

    def _reusable(self) -> "_Prepared | None":
        while self._idle:
            # The one that was used last: what Postgres keeps of it is still at hand.
            prepared = self._idle.pop()
            if not prepared.connection.is_closed():
                return prepared
        return None

    def _give_back(self, prepared: "_Prepared") -> None:
        if prepared.connection.is_closed():
            return
        self._turns.progress()
        if self._closed:
            prepared.connection.terminate()
        else:
            self._idle.append(prepared)

    async def _connect(self) -> "_Prepared":
        connection = await self._database.connect()
        try:
            # Postgres says so a little before that, so that nobody is in doubt.
            await connection.execute(f"set statement_timeout = {int(self._within_s * 900)}")
            return _Prepared(connection, await connection.prepare(self._sql))
        except BaseException:
            connection.terminate()
            raise


class _Prepared:
    __slots__ = ("connection", "statement")

    def __init__(self, connection: Any, statement: Any) -> None:
        self.connection = connection
        self.statement = statement
