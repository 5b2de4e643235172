import asyncio
import fcntl
import shlex
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote

from .embedded_binaries import EmbeddedPostgresFailed, account_for, let_through, run
from .embedded_socket import SOCKET, folder_for_socket, prepare

_SUPERUSER = "postgres"
_START_S = 60
_LOOK_AGAIN_S = 0.05


class EmbeddedPostgres:
    """A real Postgres of our own in a folder. Reached through a socket that only this user, and
    root, can open: nothing listens on the network.

    Several processes may use one folder. The first starts the server, the last stops it. Each
    holds a shared lock on the file `in-use`, which the system lets go of even after kill -9, so a
    server that was left behind is found, used, and stopped in the end.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder.expanduser().resolve()
        self._data = self._folder / "data"
        self._socket_folder: Path | None = None
        self._in_use: BinaryIO | None = None

    @property
    def url(self) -> str:
        """Of the database `postgres`. Only known once started."""
        if self._socket_folder is None:
            raise RuntimeError("the embedded Postgres has not been started")
        return f"postgresql://{_SUPERUSER}:@/postgres?host={quote(str(self._socket_folder))}"

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
        user = account_for(self._data)
        if user is not None:
            shutil.chown(self._folder, user)
            let_through(self._folder)
        with self._alone():
            in_use = (self._folder / "in-use").open("ab")
            try:
                fcntl.flock(in_use, fcntl.LOCK_SH)
                if not self._data.exists():
                    self._create(user)
                self._run_server(user)
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
            self._drop_stale_pid()
            if self._pid_file.exists():
                stop = [
                    "stop",
                    "-s",
                    "-w",
                    "-m",
                    "fast",
                    "-t",
                    str(_START_S),
                    "-D",
                    str(self._data),
                ]
                run("pg_ctl", stop, user=account_for(self._data))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process starts or stops the server meanwhile."""
        with (self._folder / "starting").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _create(self, user: int | None) -> None:
        # Under another name until it is whole: a kill halfway must not leave half a database.
        unfinished = self._folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        run("initdb", [*options, "-U", _SUPERUSER, "-D", str(unfinished)], user=user)
        unfinished.rename(self._data)

    def _run_server(self, user: int | None) -> None:
        give_up_at = time.monotonic() + _START_S
        while not self._answers():
            self._drop_stale_pid()
            if not self._pid_file.exists():
                self._start_server(user)
            elif time.monotonic() > give_up_at:
                raise EmbeddedPostgresFailed(f"the server in {self._data} does not answer")
            else:  # somebody else's stop or start is under way
                time.sleep(_LOOK_AGAIN_S)

    def _start_server(self, user: int | None) -> None:
        folder = folder_for_socket(self._data, user)
        prepare(folder, user)
        settings = f"-h '' -k {shlex.quote(str(folder))} -c log_checkpoints=off"
        log = str(self._folder / "postgres.log")
        start = ["start", "-s", "-w", "-t", str(_START_S), "-D", str(self._data), "-l", log]
        run("pg_ctl", [*start, "-o", settings], user=user)

    def _answers(self) -> bool:
        """Whether a server is there and lets us in."""
        try:
            lines = self._pid_file.read_text().splitlines()
            folder, state = Path(lines[4]), lines[7].strip()
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(folder / SOCKET))
        except (OSError, IndexError):
            return False
        self._socket_folder = folder
        return state == "ready"

    def _drop_stale_pid(self) -> None:
        """Postgres takes a file with the number of any living process of the same user for its own,
        and the numbers of a container start anew with it."""
        try:
            number = int(self._pid_file.read_text().partition("\n")[0])
        except (OSError, ValueError):
            return
        processes = Path("/proc")
        if not (processes / "self" / "cmdline").exists():
            return  # macOS: Postgres's own check has to do
        try:
            command = (processes / str(number) / "cmdline").read_bytes()
        except OSError:
            command = b""
        if bytes(self._data) not in command:
            self._pid_file.unlink(missing_ok=True)

    @property
    def _pid_file(self) -> Path:
        return self._data / "postmaster.pid"
