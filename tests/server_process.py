"""`langroute serve` as a process of its own, in a folder of its own, with its embedded Postgres."""

import asyncio
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import aiohttp
import pytest

T = TypeVar("T")

_START_S = 40.0
_STOP_S = 30.0
_SOON_S = 10.0


def free_port() -> int:
    """Not one of those that the system gives to whoever calls another: until it is listened on,
    they would take it, too."""
    while True:
        port = random.randrange(20_000, 32_000)  # noqa: S311
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port


def clean_environment(**more: str) -> dict[str, str]:
    """Without whatever settings the machine has."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("LANGROUTE_")
        and name not in {"DATABASE_URL", "ENCRYPTION_KEY", "PORT"}
    }
    return {**kept, "COLUMNS": "200", **more}


@dataclass(slots=True)
class ServerProcess:
    folder: Path
    port: int
    environment: dict[str, str]
    arguments: tuple[str, ...]
    process: "asyncio.subprocess.Process | None" = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @classmethod
    @asynccontextmanager
    async def started(cls, *arguments: str, port: int, **environment: str) -> AsyncIterator[Self]:
        folder = Path(tempfile.mkdtemp(prefix="langroute-serve-"))
        server = cls(
            folder=folder,
            port=port,
            environment=clean_environment(PORT=str(port), **environment),
            arguments=arguments,
        )
        try:
            await server.start()
            yield server
        finally:
            await server.stop()
            shutil.rmtree(folder)

    async def start(self) -> None:
        with (self.folder / "stderr.txt").open("wb") as stderr:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "langroute", "serve", *self.arguments),
                cwd=self.folder,
                env=self.environment,
                stderr=stderr,
            )
        await self._answers()

    def said(self) -> str:
        """On its standard error, so far."""
        return (self.folder / "stderr.txt").read_text()

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Its exit code. Kills it where it does not end by itself."""
        process = self.process
        assert process is not None
        if process.returncode is None:
            process.send_signal(how)
            try:
                async with asyncio.timeout(_STOP_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()
                raise
        assert process.returncode is not None
        return process.returncode

    async def in_shell(self, script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return await asyncio.to_thread(
            subprocess.run,
            ["sh", "-c", script],
            cwd=self.folder,
            env={**self.environment, **environment},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    async def until(self, ask: Callable[[], Awaitable[T]], holds: Callable[[T], bool]) -> T:
        """Asks again until it holds, within a bound."""
        deadline = time.monotonic() + _SOON_S
        while not holds(told := await ask()):
            assert time.monotonic() < deadline, told
        return told

    async def _answers(self) -> None:
        assert self.process is not None
        deadline = time.monotonic() + _START_S
        async with aiohttp.ClientSession() as http:
            while True:
                try:
                    async with http.get(f"{self.url}/readyz") as response:
                        if response.status == 200:
                            return
                except aiohttp.ClientError:
                    pass
                assert self.process.returncode is None, self.said()
                assert time.monotonic() < deadline, "it did not start"
                await asyncio.sleep(0.05)


@pytest.fixture
def langroute(tmp_path: Path) -> Callable[..., Awaitable["subprocess.CompletedProcess[str]"]]:
    """Runs the program once, in an empty folder."""

    async def run(
        *arguments: str, standard_input: str = "", **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        return await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "langroute", *arguments],
            cwd=tmp_path,
            env=clean_environment(**environment),
            capture_output=True,
            text=True,
            check=False,
            input=standard_input,
            timeout=60,
        )

    return run
