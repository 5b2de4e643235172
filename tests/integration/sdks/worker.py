"""A client library in a process of its own, asked by lines of JSON."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from client import Client, Failure


class Failed(Exception):
    """The library's own exception, as the process told of it."""

    def __init__(self, told: Any) -> None:
        super().__init__(told)
        self.failure = Failure(kinds=told["kinds"], status=told["status"], wait=told["wait"])


class Worker:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, **case: Any) -> Any:
        """What the library made of it. Raises Failed."""
        writes, reads = self._process.stdin, self._process.stdout
        assert writes is not None
        assert reads is not None
        writes.write(orjson.dumps(case) + b"\n")
        async with asyncio.timeout(60):
            line = await reads.readline()
        assert line, "the process is gone; what it said is above"
        told = orjson.loads(line)
        if "failed" in told:
            raise Failed(told["failed"])
        return told["made"]


@asynccontextmanager
async def worker(*command: str | Path, cwd: Path, **environment: str) -> AsyncIterator[Worker]:
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Worker(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        async with asyncio.timeout(10):
            await process.wait()


class ElsewhereClient(Client):
    """A client that a process runs."""

    worker: Worker
    raises = Failed

    @staticmethod
    def starts(config: pytest.Config) -> AbstractAsyncContextManager[Worker]:
        """The process, which all clients of its kind share."""
        raise NotImplementedError

    @staticmethod
    def failure(error: Any) -> Failure:
        told: Failure = error.failure
        return told


class Workers:
    """The processes that run clients, each started when it is first wanted."""

    def __init__(self, config: pytest.Config, stack: AsyncExitStack) -> None:
        self._config = config
        self._stack = stack
        self._started: dict[object, Worker] = {}

    async def of(self, library: type[ElsewhereClient]) -> Worker:
        if library.starts not in self._started:
            started = await self._stack.enter_async_context(library.starts(self._config))
            self._started[library.starts] = started
        return self._started[library.starts]
