"""What a worker and its parent share: a pair of sockets. The worker says by it that it serves, and
the parent that it must not wait for calls any longer. When the parent's end closes, whatever the
parent died of, the worker ends, too."""

import asyncio
import os
import socket
import threading
import time
from contextlib import suppress

from ..stop import Stop

_READY = b"r"
_HURRY = b"h"


async def hears_ready(ours: socket.socket) -> bool:
    """In the parent: False if the worker ends before it says so."""
    with suppress(ConnectionError):
        return await asyncio.get_running_loop().sock_recv(ours, 1) == _READY
    return False


def say_hurry(ours: socket.socket) -> None:
    with suppress(OSError):  # it has ended
        ours.send(_HURRY)


def say_ready(theirs: socket.socket) -> None:
    with suppress(OSError):  # without a parent, it ends anyway
        theirs.send(_READY)


def follow_parent(theirs: socket.socket, stop: Stop, *, within_s: float) -> None:
    """In the worker, which has so long to end once its parent has. By a thread, so that an event
    loop that hangs is no reason to stay."""
    loop = asyncio.get_running_loop()

    def watch() -> None:
        with suppress(OSError):
            while theirs.recv(1):
                _tell(loop, stop.at_once)
        _tell(loop, stop.asked)
        time.sleep(within_s)
        os._exit(1)

    threading.Thread(target=watch, name="langroute-lifeline", daemon=True).start()


def _tell(loop: asyncio.AbstractEventLoop, event: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop is closed already
        loop.call_soon_threadsafe(event.set)
