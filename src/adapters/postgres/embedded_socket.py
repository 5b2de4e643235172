"""Where the embedded Postgres puts its socket: whoever can open it is its superuser."""

import hashlib
import os
import stat
import tempfile
from pathlib import Path

from .embedded_binaries import EmbeddedPostgresFailed

SOCKET = ".s.PGSQL.5432"

# sun_path has 108 bytes on Linux and 104 on macOS, the last of them a zero.
_LONGEST_PATH = 103
_PRIVATE = 0o700


def folder_for_socket(data: Path, user: int | None) -> Path:
    """The data's own folder, which is private; a private one among the temporary files if the path
    is too long for a socket, or reads as two addresses."""
    if len(bytes(data / SOCKET)) <= _LONGEST_PATH and "," not in str(data):
        return data
    owner = os.geteuid() if user is None else user
    name = hashlib.sha256(bytes(data)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"langroute-{owner}-{name}"


def prepare(folder: Path, user: int | None) -> None:
    """Makes it where it is missing. Raises EmbeddedPostgresFailed for one that somebody else made,
    or that others may enter: the temporary folder belongs to everyone."""
    owner = os.geteuid() if user is None else user
    if not folder.exists():
        folder.mkdir(mode=_PRIVATE)
        os.chown(folder, owner, -1)
    found = folder.lstat()
    is_private = stat.S_ISDIR(found.st_mode) and not stat.S_IMODE(found.st_mode) & ~_PRIVATE
    if found.st_uid != owner or not is_private:
        raise EmbeddedPostgresFailed(f"{folder} is not ours alone")
