import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote

from .embedded_server import SUPERUSER, EmbeddedServer


class EmbeddedPostgres:
    """A real Postgres of our own in a folder. Reached through a socket that only this user, and
    root, can open: nothing listens on the network.

    Several processes may use one folder. The first starts the server, the last stops it. Each
    holds a shared lock on the file `in-use`, which the system lets go of even after kill -9, so a
    server that was left behind is found, used, and stopped in the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().resolve()
        self._server = EmbeddedServer(self._folder)
        self._in_use: BinaryIO | None = None

    @property
    def url(self) -> str:
        """Of the database `postgres`. Only known once started."""
        socket_folder = self._server.socket_folder
        if socket_folder is None:
            raise RuntimeError("the embedded Postgres has not been started")
        return f"postgresql://{SUPERUSER}:@/postgres?host={quote(str(socket_folder))}"

    async def start(self) -> None:
        """Takes a second or two the first time, and less later on. Raises
        EmbeddedPostgresFailed."""
        await asyncio.to_thread(self._start)

    async def aclose(self) -> None:
        """Stops the server, unless another process uses it."""
        if self._in_use is not None:
            await asyncio.to_thread(self._stop, self._in_use)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _start(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with self._alone():
            in_use = (self._folder / "in-use").open("ab")
            try:
                fcntl.flock(in_use, fcntl.LOCK_SH)
                self._server.start()
            except BaseException:
                in_use.close()
                raise
            self._in_use = in_use

    def _stop(self, in_use: BinaryIO) -> None:
        with self._alone(), in_use:
            self._in_use = None
            try:
                fcntl.flock(in_use, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            self._server.stop()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process starts or stops the server meanwhile."""
        with (self._folder / "starting").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
