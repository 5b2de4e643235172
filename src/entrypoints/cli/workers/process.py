import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Self

from .lifeline import hears_ready, say_hurry

# Not what stands in the folder that it is started from: the same package as the parent's.
COMMAND = (sys.executable, "-P", "-m", "langroute", "worker")

_START_S = 60.0


class WorkerProcess:
    """A worker, as its parent sees it."""

    def __init__(self, process: asyncio.subprocess.Process, lifeline: socket.socket) -> None:
        self._process = process
        self._lifeline = lifeline
        self._began_s = time.monotonic()
        self.is_over = False

    @classmethod
    async def started(
        cls, listener: socket.socket, environment: Mapping[str, str], command: Sequence[str]
    ) -> Self:
        """The `command` is told the descriptors of its listener and its lifeline."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        descriptors = listener.fileno(), theirs.fileno()
        with theirs:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    *map(str, descriptors),
                    env={**os.environ, **environment},
                    pass_fds=descriptors,
                    stdin=asyncio.subprocess.DEVNULL,
                    # Ctrl-C is for the parent alone, which tells the others.
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        return cls(process, ours)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def age_s(self) -> float:
        return time.monotonic() - self._began_s

    @property
    def is_running(self) -> bool:
        return self._process.returncode is None

    async def ready(self) -> bool:
        """Waits until it serves, for as long as a start may take; False if it ends before."""
        try:
            async with asyncio.timeout(_START_S):
                return await hears_ready(self._lifeline)
        except TimeoutError:
            return False

    async def ended(self) -> int:
        """Its exit code, once it has one; negative for the signal that ended it. Somebody has to
        wait for it: nothing is left of it then."""
        code = await self._process.wait()
        self._lifeline.close()
        self.is_over = True
        return code

    def ask_to_end(self) -> None:
        """Once the calls that are under way have."""
        self._send(signal.SIGTERM)

    def hurry(self) -> None:
        """Cuts those calls off."""
        say_hurry(self._lifeline)

    def kill(self) -> None:
        self._send(signal.SIGKILL)

    def _send(self, number: signal.Signals) -> None:
        # Not by the process's own `kill`: that may find it ended, and keeps from asyncio how.
        if self.is_running:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)
