import asyncio
import logging
import socket
from collections.abc import Collection

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.lifespan import Lifespan
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework, LifespanState

from .tcp_connection import TcpConnection

_LOG = logging.getLogger(__name__)


async def serve(
    app: ASGIFramework,
    config: Config,
    listener: socket.socket,
    stop: asyncio.Event,
    at_once: asyncio.Event | None = None,
) -> None:
    """Hypercorn's protocols, on connections of our own, until `stop` is set. Then nothing new is
    accepted, and what is under way has `config.graceful_timeout` seconds to finish, or until
    `at_once` is set."""
    loop = asyncio.get_running_loop()
    state: LifespanState = {}
    wrapped = ASGIWrapper(app)
    lifespan = Lifespan(wrapped, config, loop, state)
    running = loop.create_task(lifespan.handle_lifespan())
    await lifespan.wait_for_startup()
    context = WorkerContext(None)
    connections: dict[asyncio.Task[None], TcpConnection] = {}

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = TcpConnection(wrapped, loop, config, context, state, reader, writer)
        task = loop.create_task(connection.run())
        connections[task] = connection
        task.add_done_callback(ended)
        if stop.is_set():  # accepted in the same moment
            connection.close_soon()

    def ended(task: asyncio.Task[None]) -> None:
        del connections[task]
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("a connection ended in an error", exc_info=error)

    server = await asyncio.start_server(connected, sock=listener, backlog=config.backlog)
    try:
        await stop.wait()
    finally:
        await context.terminated.set()
        server.close()
        for connection in connections.values():
            connection.close_soon()
        await _finish(connections, config.graceful_timeout, at_once or asyncio.Event())
        await lifespan.wait_for_shutdown()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def _finish(
    connections: Collection[asyncio.Task[None]], within_s: float, hurry: asyncio.Event
) -> None:
    """Waits for them, and cancels those that take too long."""

    async def all_ended() -> None:
        while connections:
            await asyncio.wait(connections)

    hurried = asyncio.ensure_future(hurry.wait())
    ended = asyncio.ensure_future(all_ended())
    await asyncio.wait({ended, hurried}, timeout=within_s, return_when=asyncio.FIRST_COMPLETED)
    for waiting in (ended, hurried):
        waiting.cancel()
    late = list(connections)
    for task in late:
        task.cancel()
    await asyncio.gather(*late, return_exceptions=True)
