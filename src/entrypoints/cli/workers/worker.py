import asyncio
import signal
import socket
from typing import Annotated

import typer
import uvloop

from ...logs import configure_logs
from ...settings import Settings
from ..run import run, settings_or_exit
from ..serving import serving
from ..stop import Stop
from .lifeline import follow_parent, say_ready

# Beyond what calls under way may take: to write the last entries of the ledger.
LAST_WORK_S = 15.0


def worker(
    listener: Annotated[int, typer.Argument(help="The descriptor of what to accept from.")],
    lifeline: Annotated[int, typer.Argument(help="The descriptor that ties it to its parent.")],
) -> None:
    """One process of `langroute serve --workers`, which starts it."""
    # To the parent it means that workers are to be renewed one by one; not that all end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    settings = settings_or_exit()
    configure_logs(settings.log_level, with_process=True)
    with socket.socket(fileno=lifeline) as tie:
        work = _work(settings, socket.socket(fileno=listener), tie)
        run(work, loop_factory=uvloop.new_event_loop)


async def _work(settings: Settings, listener: socket.socket, lifeline: socket.socket) -> None:
    stop = Stop()
    # However often: who ends a whole group of processes, as systemd does, sends it to each of
    # them, and the parent sends it again.
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.asked.set)
    follow_parent(lifeline, stop, within_s=settings.shutdown_timeout_s + LAST_WORK_S)
    await serving(settings, stop, on_ready=lambda *_: say_ready(lifeline), listener=listener)
