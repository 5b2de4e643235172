import asyncio
import gc
import logging
import signal
import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated, cast

import typer
import uvloop
from hypercorn.config import Config
from hypercorn.typing import ASGIFramework

from ..container import Container
from ..http.server import serve as serve_http
from ..lifecycle import open_container
from ..logs import configure_logs
from ..settings import Settings
from .output import err, working
from .run import settings_or_exit

_NEVER = 2**31
_KEEP_ALIVE_S = 10.0
_BACKLOG = 1024
_COLLECT_AFTER = 20_000


def serve(
    dev: Annotated[
        bool, typer.Option("--dev", help="Open administration to this machine, without a key.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port to listen on.")
    ] = None,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; calls under way may finish."""
    given: dict[str, object] = {"host": host, "port": port, "dev": dev or None}
    settings = settings_or_exit(**{k: v for k, v in given.items() if v is not None})
    configure_logs(settings.log_level)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_until_signalled(settings))


async def _until_signalled(settings: Settings) -> None:
    with ExitStack() as starting:
        starting.enter_context(working("starting"))

        def ready(bound: Settings, _: Container) -> None:
            starting.close()
            _announce(bound)

        await serving(settings, stopped_by_signals(), on_ready=ready)


def _announce(settings: Settings) -> None:
    if settings.admin_key is not None:
        who = "wants the admin key"
    elif settings.dev:
        who = "open to this machine"
    else:
        who = "off (LANGROUTE_ADMIN_KEY is not set)"
    store = "DATABASE_URL" if settings.database_url else f"embedded, in {settings.data_dir}"
    err.print(
        f"[bold]LangRoute[/bold] listens on http://{settings.host}:{settings.port}\n"
        f"  database        {store}\n"
        f"  limits          in this process\n"
        f"  administration  {who}",
        highlight=False,
    )


async def serving(
    settings: Settings,
    stop: asyncio.Event,
    *,
    on_ready: Callable[[Settings, Container], None],
) -> None:
    """Everything, from opening the database to the last entry of the ledger, until `stop` is set.
    `on_ready` is told the settings, with the port that was given."""
    with _listening(settings) as listener:
        bound = settings.model_copy(update={"port": listener.getsockname()[1]})
        async with open_container(settings, serving=True) as container:
            app = cast("ASGIFramework", container.app())
            _spare_the_collector()
            on_ready(bound, container)
            await serve_http(app, _config(settings), listener, stop)


def _spare_the_collector() -> None:
    """What was made until now stays: looking through it again and again, as the collector does
    after every 700 new objects, took a fifth of what authorizing, admitting and settling cost."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    gc.enable()


def _listening(settings: Settings) -> socket.socket:
    """Listens before anybody is told so, and before anything is opened that would have to be
    closed again."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=_BACKLOG)
    except OSError as error:
        err.print(
            f"[bold red]error[/bold red] cannot listen on {settings.host}:{settings.port}: "
            f"{error.strerror}"
        )
        raise typer.Exit(1) from error


def _config(settings: Settings) -> Config:
    config = Config()
    config.backlog = _BACKLOG
    config.accesslog = None  # 74 µs a request
    config.errorlog = logging.getLogger("hypercorn.error")
    config.graceful_timeout = settings.shutdown_timeout_s
    config.keep_alive_timeout = _KEEP_ALIVE_S
    config.keep_alive_max_requests = _NEVER
    config.include_server_header = False
    return config


def stopped_by_signals() -> asyncio.Event:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    return stop
