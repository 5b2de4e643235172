"""What the server does with connections, told by a client that speaks HTTP by hand."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from hypercorn.config import Config

from langroute.entrypoints.http.server import serve

App = Callable[[Any, Any, Any], Awaitable[None]]
GET = b"GET /%b HTTP/1.1\r\nhost: here\r\n\r\n"


class Slow:
    """Answers /held only once it is let go; all else at once, with its path."""

    def __init__(self) -> None:
        self.let_go = asyncio.Event()
        self.asked = asyncio.Event()
        self.cancelled = False

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{event}.complete"})
            return
        self.asked.set()
        if scope["path"] == "/held":
            try:
                await self.let_go.wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        body = scope["path"].encode()
        headers = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(
    app: App, at_once: asyncio.Event | None = None, **settings: float
) -> AsyncIterator[tuple[int, asyncio.Event]]:
    config = Config()
    config.errorlog = None
    for name, value in settings.items():
        setattr(config, name, value)
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    stop = asyncio.Event()
    server = asyncio.create_task(serve(app, config, listener, stop, at_once))
    try:
        yield port, stop
    finally:
        stop.set()
        await server


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    length = next(line for line in head.split(b"\r\n") if line.startswith(b"content-length"))
    return await reader.readexactly(int(length.split(b":")[1]))


async def test_one_connection_serves_call_after_call() -> None:
    async with serving(Slow()) as (port, _), connected(port) as (reader, writer):
        for path in (b"one", b"two", b"three"):
            writer.write(GET % path)
            assert await answer(reader) == b"/" + path


async def test_calls_that_are_sent_together_are_answered_in_turn() -> None:
    async with serving(Slow()) as (port, _), connected(port) as (reader, writer):
        writer.write(GET % b"one" + GET % b"two")
        assert [await answer(reader), await answer(reader)] == [b"/one", b"/two"]


async def test_a_connection_that_idles_is_closed_and_one_that_works_is_not() -> None:
    app = Slow()
    async with (
        asyncio.timeout(10),
        serving(app, keep_alive_timeout=0.05) as (port, _),
        connected(port) as (reader, writer),
    ):
        writer.write(GET % b"held")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        app.let_go.set()
        assert await answer(reader) == b"/held"
        assert await reader.read() == b""


async def test_a_connection_that_never_asks_is_closed() -> None:
    async with (
        asyncio.timeout(10),
        serving(Slow(), keep_alive_timeout=0.05) as (port, _),
        connected(port) as (reader, _),
    ):
        assert await reader.read() == b""


async def test_stopping_closes_what_idles_at_once_and_lets_a_call_finish() -> None:
    app = Slow()
    async with (
        asyncio.timeout(10),
        serving(app, graceful_timeout=30) as (port, stop),
        connected(port) as (idle, idle_writer),
        connected(port) as (busy, busy_writer),
    ):
        idle_writer.write(GET % b"one")
        await answer(idle)
        app.asked.clear()
        busy_writer.write(GET % b"held")
        await app.asked.wait()
        stop.set()
        assert await idle.read() == b""
        app.let_go.set()
        assert await answer(busy) == b"/held"
        assert await busy.read() == b""


async def test_a_client_that_connected_just_before_the_stop_is_answered() -> None:
    async with (
        asyncio.timeout(10),
        serving(Slow(), graceful_timeout=30) as (port, stop),
        connected(port) as (other, other_writer),
        connected(port) as (reader, writer),
    ):
        other_writer.write(GET % b"one")
        await answer(other)  # so the one that connected after it is accepted, too
        stop.set()
        assert await other.read() == b""
        writer.write(GET % b"two")
        assert await answer(reader) == b"/two"
        assert await reader.read() == b""


async def test_a_call_is_cut_off_when_it_is_time_to_hurry() -> None:
    app = Slow()
    at_once = asyncio.Event()
    async with (
        asyncio.timeout(10),
        serving(app, at_once, graceful_timeout=30) as (port, stop),
        connected(port) as (reader, writer),
    ):
        writer.write(GET % b"held")
        await app.asked.wait()
        stop.set()
        at_once.set()
        assert b" 200 " not in await reader.read()
    assert app.cancelled


async def test_a_call_that_takes_too_long_to_finish_is_cancelled() -> None:
    app = Slow()
    async with (
        asyncio.timeout(10),
        serving(app, graceful_timeout=0.05) as (port, stop),
        connected(port) as (reader, writer),
    ):
        writer.write(GET % b"held")
        await app.asked.wait()
        stop.set()
        assert b" 200 " not in await reader.read()
    assert app.cancelled


async def test_http_2_is_spoken_where_it_is_asked_for() -> None:
    upgrade = b"GET / HTTP/1.1\r\nhost: here\r\nupgrade: h2c\r\nhttp2-settings: \r\n\r\n"
    async with serving(Slow()) as (port, _), connected(port) as (reader, writer):
        writer.write(upgrade)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
