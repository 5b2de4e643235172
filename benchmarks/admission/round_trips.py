"""Counts how often somebody waits for a server: a wire that looks at what passes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]

_AT_ONCE = 2**16


class RoundTrips:
    """Between a client and a server, on any number of connections. What is sent after an answer
    is the next round trip, however much it is: what is sent with it belongs to it."""

    def __init__(self, connect: Connect) -> None:
        self._connect = connect
        self._open: set[asyncio.Task[None]] = set()
        self.count = 0

    @asynccontextmanager
    async def on_socket(self, path: Path) -> AsyncIterator[None]:
        async with await asyncio.start_unix_server(self._take, path):
            yield
            await self._hang_up()

    @asynccontextmanager
    async def on_port(self, port: int) -> AsyncIterator[None]:
        async with await asyncio.start_server(self._take, "127.0.0.1", port):
            yield
            await self._hang_up()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        answers, server = await self._connect()
        is_answered = True

        async def back() -> None:
            nonlocal is_answered
            while data := await answers.read(_AT_ONCE):
                is_answered = True
                writer.write(data)
            writer.close()

        returning = asyncio.create_task(back())
        try:
            while data := await reader.read(_AT_ONCE):
                self.count += is_answered
                is_answered = False
                server.write(data)
        except ConnectionError:
            pass
        finally:
            returning.cancel()
            server.close()
            self._open.discard(task)

    async def _hang_up(self) -> None:
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
