import gc
import socket
from collections.abc import Callable
from contextlib import AsyncExitStack

from ..container import Container
from ..lifecycle import open_container
from ..settings import Settings
from .listening import listening
from .stop import Stop

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
    # Other commands need none of it: see the container.
    from ..http.server import serve  # noqa: PLC0415
    from .hypercorn_config import config_of  # noqa: PLC0415

    async with AsyncExitStack() as stack:
        # Before anything is opened that would have to be closed again.
        accepting = stack.enter_context(listener or listening(settings.host, settings.port))
        bound = settings.model_copy(update={"port": accepting.getsockname()[1]})
        container = await stack.enter_async_context(open_container(settings, serving=True))
        app = container.app()
        _spare_the_collector()
        on_ready(bound, container)
        await serve(app, config_of(settings), accepting, stop.asked, stop.at_once)


def _spare_the_collector() -> None:
    """What was made until now stays: looking through it again and again, as the collector does
    after every 700 new objects, took a fifth of what authorizing, admitting and settling cost."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 20)
    gc.enable()
