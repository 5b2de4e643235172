"""instructor, in an environment of its own: its dependencies and the project's own exclude each
other."""

import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest
from client import OF_OPENAI
from worker import ElsewhereClient, Worker, worker

from processes import ran

_FOLDER = Path(__file__).parent / "instructor"
_TESTS = Path(__file__).parents[2]


class WithSchema(ElsewhereClient):
    kinds = OF_OPENAI
    way: ClassVar[str] = "JSON_SCHEMA"

    @staticmethod
    @asynccontextmanager
    async def starts(config: pytest.Config) -> AsyncIterator[Worker]:
        environment = {"PYTHONPATH": str(_TESTS), "PYTHONDONTWRITEBYTECODE": "1"}
        python = await _installed(config)
        async with worker(python, "run.py", cwd=_FOLDER, **environment) as started:
            yield started

    async def _ask(self, ask: str) -> Any:
        """One of the methods in `run.py`."""
        gateway = {"url": self.url, "key": self.key, "model": self.model}
        return await self.worker.ask(way=self.way, ask=ask, **gateway)

    async def read_object(self) -> Any:
        return await self._ask("read_object")

    async def read_growing(self) -> Any:
        return await self._ask("read_growing")

    async def leave(self) -> None:
        await self._ask("leave")


class WithTools(WithSchema):
    """The model must call a tool that is named after what is wanted."""

    way = "TOOLS"
    object_tool = "City"

    async def read_valid(self) -> Any:
        return await self._ask("read_valid")

    async def read_each(self) -> Any:
        return await self._ask("read_each")


async def _installed(config: pytest.Config) -> Path:
    """The Python of an environment that is made once for each lock."""
    lock = _FOLDER / "requirements.txt"
    assert config.cache is not None
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    folder = config.cache.mkdir(f"instructor-{digest[:12]}")
    python, done = folder / "bin/python", folder / "installed"
    if not done.exists():
        code, _, said = await ran(sys.executable, "-m", "venv", "--clear", ".", cwd=folder)
        assert code == 0, said
        code, _, said = await ran(
            *(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"),
            *("--retries", "1", "--no-deps", "--require-hashes", "-r", lock),
            cwd=folder,
        )
        if "connection broken by" in said:
            pytest.skip("pip cannot reach its registry")
        assert code == 0, said
        done.touch()
    return python
