import os
import shlex
import shutil
import socket
import time
from pathlib import Path

from .embedded_binaries import EmbeddedPostgresFailed, account_for, let_through, run
from .embedded_socket import SOCKET, folder_for_socket, prepare

SUPERUSER = "postgres"

_START_S = 60
_LOOK_AGAIN_S = 0.05
_LAST_WORDS = 10

# The same order of letters on every system.
_LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


class EmbeddedServer:
    """The server of one folder. Its methods block, and only one process at a time may call them.

    In the folder: `data`, and what the server logs, `postgres.log`.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._pid_file = self._data / "postmaster.pid"
        self._user: int | None = None
        self.socket_folder: Path | None = None

    def start(self) -> None:
        """Makes the database where there is none. Raises EmbeddedPostgresFailed."""
        self._user = account_for(self._data)
        if self._user is not None:
            os.chown(self._folder, self._user, -1)
            let_through(self._folder)
        if not self._data.exists():
            self._create()
        give_up_at = time.monotonic() + _START_S
        while not self._answers():
            self._drop_stale_pid()
            if not self._pid_file.exists():
                self._launch()
            elif time.monotonic() > give_up_at:
                raise EmbeddedPostgresFailed(f"the server in {self._data} does not answer")
            else:  # it starts or stops already
                time.sleep(_LOOK_AGAIN_S)

    def stop(self) -> None:
        """Raises EmbeddedPostgresFailed."""
        self._drop_stale_pid()
        if self._pid_file.exists():
            self._run("pg_ctl", "stop", "-s", "-w", "-m", "fast", "-D", self._data.name)

    def _create(self) -> None:
        # Under another name until it is whole: a kill halfway must not leave half a database.
        unfinished = self._folder / "data.new"
        shutil.rmtree(unfinished, ignore_errors=True)
        self._run(
            "initdb",
            *("--auth=trust", "--no-instructions", *_LOCALE),
            *("-U", SUPERUSER, "-D", unfinished.name),
        )
        unfinished.rename(self._data)

    def _launch(self) -> None:
        folder = folder_for_socket(self._data, self._user)
        prepare(folder, self._user)
        settings = f"-h '' -k {shlex.quote(str(folder))} -c log_checkpoints=off"
        log = self._folder / "postgres.log"
        start = ("start", "-s", "-w", "-t", str(_START_S), "-D", self._data.name)
        try:
            self._run("pg_ctl", *start, "-l", log.name, "-o", settings)
        except EmbeddedPostgresFailed as error:
            logged = log.read_text(errors="replace").splitlines() if log.exists() else []
            said = "\n".join([str(error), *logged[-_LAST_WORDS:]])
            raise EmbeddedPostgresFailed(said) from error

    def _run(self, name: str, *arguments: str) -> None:
        run(name, arguments, user=self._user, folder=self._folder)

    def _answers(self) -> bool:
        """Whether a server is there and lets us in."""
        try:
            lines = self._pid_file.read_bytes().splitlines()
            folder, state = Path(os.fsdecode(lines[4])), lines[7].strip()
            with socket.socket(socket.AF_UNIX) as probe:
                probe.connect(str(folder / SOCKET))
        except (OSError, IndexError):
            return False
        self.socket_folder = folder
        return state == b"ready"

    def _drop_stale_pid(self) -> None:
        """Postgres takes any living process of the same user for itself if the number matches, and
        in a container the numbers start anew."""
        processes = Path("/proc")
        if not (processes / "self" / "cmdline").exists():
            return  # macOS: Postgres's own check has to do
        try:
            lines = self._pid_file.read_bytes().splitlines()
            number, socket_folder = os.fsdecode(lines[0]), lines[4]
            command = (processes / number / "cmdline").read_bytes()
        except (OSError, IndexError):
            is_ours = False
        else:
            is_ours = socket_folder in command
        if not is_ours:
            self._pid_file.unlink(missing_ok=True)
