"""`langroute serve --workers`, and what is behind it: a database, and a provider's double."""

import asyncio
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import psutil

from server_process import ServerProcess, free_port
from upstreams.openai import OpenAIUpstream

WORKERS = 3
ENCRYPTION_KEY = "0f" * 32

OUTPUT_CAP = 20
CHAT = {
    "model": "told",
    "messages": [{"role": "user", "content": "one two three four five"}],
    "max_tokens": OUTPUT_CAP,
}


@dataclass(slots=True)
class Workers:
    server: ServerProcess
    upstream: OpenAIUpstream

    def processes(self) -> list[psutil.Process]:
        assert self.server.process is not None
        try:
            children = psutil.Process(self.server.process.pid).children()
            return [child for child in children if "worker" in child.cmdline()]
        except psutil.NoSuchProcess:  # one that has just ended
            return []

    @property
    def pids(self) -> frozenset[int]:
        return frozenset(process.pid for process in self.processes())

    async def until_there_are(self, count: int, *, without: frozenset[int] = frozenset()) -> None:
        """So many that are none of those; a start takes its time."""
        async with asyncio.timeout(40):
            while len(self.pids) != count or self.pids & without:
                await asyncio.sleep(0.02)

    async def kill_the_parent(self) -> None:
        """Returns once the workers have noticed."""
        left = self.processes()
        assert await self.server.stop(signal.SIGKILL) == -signal.SIGKILL
        _, alive = await asyncio.to_thread(psutil.wait_procs, left, timeout=40)
        assert alive == []

    async def new_key(self, **limits: Any) -> dict[str, str]:
        """The headers of a key that may use the route, which every worker knows now."""
        async with aiohttp.ClientSession(self.server.url) as http:
            further = limits.pop("limits", [])
            made = await _called(http, "POST", "/api/keys", limits)
            for limit in further:
                await _called(http, "POST", f"/api/keys/{made['id']}/limits", limit)
        return {"Authorization": f"Bearer {made['virtual_key']}"}

    async def ledger(self) -> list[dict[str, Any]]:
        async with aiohttp.ClientSession(self.server.url) as http:
            return list((await _called(http, "GET", "/api/ledger"))["data"])

    async def until_it_is_written(self, request_id: str) -> None:
        async with asyncio.timeout(30):
            while all(entry["request_id"] != request_id for entry in await self.ledger()):
                await asyncio.sleep(0.05)

    async def until_it_is_verified(self) -> dict[str, Any]:
        """The ledger is written a moment after a call has ended."""
        async with asyncio.timeout(30), aiohttp.ClientSession(self.server.url) as http:
            while (told := await _called(http, "GET", "/api/verify"))["differences"]:
                await asyncio.sleep(0.05)
            return dict(told)


@asynccontextmanager
async def serving_workers(
    database_url: str, *, count: int = WORKERS, **environment: str
) -> AsyncIterator[Workers]:
    async with (
        OpenAIUpstream() as upstream,
        ServerProcess.started(
            *("--dev", "--workers", str(count)),
            port=free_port(),
            DATABASE_URL=database_url,
            ENCRYPTION_KEY=ENCRYPTION_KEY,
            **environment,
        ) as server,
    ):
        await until_all_serve(server)
        async with aiohttp.ClientSession(server.url) as http:
            await _define_route(http, upstream)
        workers = Workers(server, upstream)
        key = await workers.new_key(requests_per_minute=None, tokens_per_minute=None)
        async with asyncio.timeout(10):
            while not await _all_know_the_route(workers, key):
                await asyncio.sleep(0.05)
        upstream.forget()
        yield workers


async def until_all_serve(server: ServerProcess) -> None:
    """The first worker may answer before the others are there."""
    async with asyncio.timeout(40):
        while "administration" not in server.said():
            await asyncio.sleep(0.02)


async def _define_route(http: aiohttp.ClientSession, upstream: OpenAIUpstream) -> None:
    provider = {"kind": "openai", "base_url": upstream.base_url, "needs_credential": False}
    await _called(http, "PUT", "/api/providers/double", provider)
    target = {"provider": "double", "model": "m"}
    await _called(http, "PUT", "/api/routes/told", {"targets": [target]})
    price = {"provider": "double", "model": "m", "input": "1", "output": "2"}
    await _called(http, "POST", "/api/prices", price)


async def _all_know_the_route(workers: Workers, key: Mapping[str, str]) -> bool:
    answers = [await fresh(workers.server, "/v1/models", key) for _ in range(30)]
    return all(b'"told"' in body for _, body in answers)


async def fresh(
    server: ServerProcess,
    path: str,
    headers: Mapping[str, str] | None = None,
    body: object = None,
) -> tuple[int, bytes]:
    """Over a connection of its own, so that any worker may get it."""
    method = "GET" if body is None else "POST"
    async with (
        aiohttp.ClientSession(server.url) as http,
        http.request(method, path, json=body, headers=headers) as response,
    ):
        return response.status, await response.read()


async def _called(http: aiohttp.ClientSession, method: str, path: str, body: object = None) -> Any:
    async with http.request(method, path, json=body) as response:
        assert response.ok, await response.text()
        return await response.json()
