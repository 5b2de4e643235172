"""The command line, as a test calls it."""

import json
import subprocess
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

Langroute = Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]


@pytest.fixture
async def cli(langroute: Langroute, database_url: str) -> Langroute:
    """The command line, on a database of the test's own."""

    async def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        own = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": "0f" * 32}
        return await langroute(*arguments, **{**own, **environment})

    return run


async def told(cli: Langroute, *arguments: str, **environment: str) -> Any:
    done = await cli(*arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
