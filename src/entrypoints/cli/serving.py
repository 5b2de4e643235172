import gc
import logging
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import cast

from hypercorn.config import Config
from hypercorn.typing import ASGIFramework

from ..container import Container
from ..http.server import serve as serve_http
from ..lifecycle import open_container
from ..settings import Settings
from .listening import BACKLOG, listening
from .stop import Stop

_NEVER = 2**31
_KEEP_ALIVE_S = 10.0
_COLLECT_AFTER = 20_000


async def serving(
    settings: Settings,
    stop: Stop,
    *,
    on_ready: Callable[[Settings, Container], None],
    listener: socket.socket | None = None,
) -> None:
    """Everything, from opening the database to the last entry of the ledger, until `stop`.
    `on_ready` is told the settings, with the port that was given. Closes the `listener`; without
    one it makes its own."""
    async with AsyncExitStack() as stack:
        # Before anything is opened that would have to be closed again.
        accepting = stack.enter_context(listener or listening(settings.host, settings.port))
        bound = settings.model_copy(update={"port": accepting.getsockname()[1]})
        container = await stack.enter_async_context(open_container(settings, serving=True))
        app = cast("ASGIFramework", container.app())
        _spare_the_collector()
        on_ready(bound, container)
        await serve_http(app, _config(settings), accepting, stop.asked, stop.at_once)


def _spare_the_collector() -> None:
    """What was made until now stays: looking through it again and again, as the collector does
    after every 700 new objects, took a fifth of what authorizing, admitting and settling cost."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    gc.enable()


def _config(settings: Settings) -> Config:
    config = Config()
    config.backlog = BACKLOG
    config.accesslog = None  # 74 µs a request
    config.errorlog = logging.getLogger("hypercorn.error")
    config.graceful_timeout = settings.shutdown_timeout_s
    config.keep_alive_timeout = _KEEP_ALIVE_S
    config.keep_alive_max_requests = _NEVER
    config.include_server_header = False
    return config
