import os
import secrets
from contextlib import suppress
from pathlib import Path

from .settings import Settings

_KEY_FILE = "encryption.key"
_KEY_BYTES = 32


def encryption_keys(settings: Settings) -> list[bytes]:
    """The key that seals, then those that still open. With the embedded Postgres, the first one is
    made at first start and kept, readable by this user only, in the data directory."""
    if settings.encryption_key is not None:
        current = bytes.fromhex(settings.encryption_key.get_secret_value())
    else:
        current = _kept_key(settings.data_dir)
    older = [bytes.fromhex(key.get_secret_value()) for key in settings.old_encryption_keys]
    return [current, *older]


def _kept_key(data_dir: Path) -> bytes:
    path = data_dir / _KEY_FILE
    data_dir.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _make(path)
    return bytes.fromhex(path.read_text().strip())


def _make(path: Path) -> None:
    """Appears whole or not at all, and the first of two processes wins."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_hex(_KEY_BYTES) + "\n")
        with suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
