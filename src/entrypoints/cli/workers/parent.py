import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import ExitStack

import typer

from ...encryption import encryption_keys
from ...lifecycle import open_prepared_database
from ...settings import Settings, environment_name
from ..output import tell_error
from ..run import run
from ..stop import Stop
from .crew import Crew
from .places import ListeningPlace, listening_places
from .post import Post, WorkerFailed
from .process import COMMAND, WorkerProcess
from .worker import LAST_WORK_S

_STANDARD_INPUT = 0


def serve_with_workers(settings: Settings, *, on_ready: Callable[[Settings], None]) -> None:
    """Until it is asked to end. `on_ready` is told the settings, with the port that was given."""
    run(_parent(settings, on_ready))


async def _parent(settings: Settings, on_ready: Callable[[Settings], None]) -> None:
    stop, renewal = Stop.by_signals(), asyncio.Event()
    _on_hang_up(renew=renewal.set, end=stop.ask)
    with ExitStack() as listening:
        places = listening_places(settings.host, settings.port, settings.workers)
        for place in places:
            listening.enter_context(place.listener)
        port = places[0].listener.getsockname()[1]
        bound = settings.model_copy(update={"port": port})
        async with open_prepared_database(settings) as url:
            environment = _environment(bound, url)

            async def start(place: ListeningPlace) -> WorkerProcess:
                return await WorkerProcess.started(place.listener, environment, COMMAND)

            crew = Crew(
                [Post(number, place, start) for number, place in enumerate(places, 1)],
                grace_s=settings.shutdown_timeout_s + LAST_WORK_S,
            )
            try:
                in_order = await crew.work(stop, renewal, lambda: on_ready(bound))
            except WorkerFailed as error:
                tell_error(str(error))
                raise typer.Exit(1) from error
    if not in_order:
        tell_error("some workers did not end by themselves")
        raise typer.Exit(1)


def _on_hang_up(*, renew: Callable[[], None], end: Callable[[], None]) -> None:
    """A terminal that is closed says the same as an operator who wants new workers."""
    on_terminal = os.isatty(_STANDARD_INPUT)

    def hung_up() -> None:
        is_gone = on_terminal and not os.isatty(_STANDARD_INPUT)
        (end if is_gone else renew)()

    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hung_up)


def _environment(settings: Settings, database_url: str) -> dict[str, str]:
    """What the workers cannot find in the environment or in `.env`. All else they read anew, so
    that those that take the place of others know what has changed."""
    told = {
        "host": settings.host,
        "port": str(settings.port),
        "dev": str(settings.dev),
        "workers": str(settings.workers),
    }
    if settings.database_url is None:
        told["database_url"] = database_url
        told["encryption_key"] = encryption_keys(settings)[0].hex()
    return {environment_name(name): value for name, value in told.items()}
