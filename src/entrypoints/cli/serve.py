from collections.abc import Callable
from contextlib import ExitStack
from typing import Annotated

import typer
import uvloop

from ..logs import configure_logs
from ..settings import Settings
from .output import err, working
from .run import run, settings_or_exit
from .serving import serving
from .stop import Stop
from .workers.parent import serve_with_workers

_LIMITS = {
    "memory": "in this process",
    "postgres": "in Postgres",
    "redis": "in Redis or Valkey (LANGROUTE_REDIS_URL)",
}


def serve(
    dev: Annotated[
        bool, typer.Option("--dev", help="Open administration to this machine, without a key.")
    ] = False,
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port to listen on.")
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many processes share the work.")
    ] = None,
) -> None:
    """Run the gateway until SIGTERM or Ctrl-C; calls under way may finish. A second signal cuts
    them off."""
    given: dict[str, object] = {
        "host": host,
        "port": port,
        "dev": dev or None,
        "workers": workers,
    }
    settings = settings_or_exit(**{k: v for k, v in given.items() if v is not None})
    configure_logs(settings.log_level, with_process=settings.workers > 1)
    with ExitStack() as starting:
        starting.enter_context(working("starting"))

        def ready(bound: Settings) -> None:
            starting.close()
            _announce(bound)

        if settings.workers > 1:
            serve_with_workers(settings, on_ready=ready)
        else:
            run(_alone(settings, ready), loop_factory=uvloop.new_event_loop)


async def _alone(settings: Settings, ready: Callable[[Settings], None]) -> None:
    await serving(settings, Stop.by_signals(), on_ready=lambda bound, _: ready(bound))


def _announce(settings: Settings) -> None:
    if settings.admin_key is not None:
        who = "wants the admin key"
    elif settings.dev:
        who = "open to this machine"
    else:
        who = "off (LANGROUTE_ADMIN_KEY is not set)"
    store = "DATABASE_URL" if settings.database_url else f"embedded, in {settings.data_dir}"
    workers = f"  workers         {settings.workers}\n" if settings.workers > 1 else ""
    err.print(
        f"[bold]LangRoute[/bold] listens on http://{settings.host}:{settings.port}\n"
        f"{workers}"
        f"  database        {store}\n"
        f"  limits          {_LIMITS[settings.admission_store]}\n"
        f"  administration  {who}",
        highlight=False,
    )
