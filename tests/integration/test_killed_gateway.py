"""A gateway that is killed: whatever it has passed on of an answer is paid for in the end."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import aiohttp
import asyncpg

from langroute.adapters.postgres.database import Database
from leases import lose_leases, open_calls
from server_process import ServerProcess, free_port
from upstreams.openai import OpenAIUpstream

CHAT = {
    "model": "told",
    "messages": [{"role": "user", "content": "one two three four five"}],
    "max_tokens": 20,
}


@dataclass(frozen=True, slots=True)
class Killable:
    server: ServerProcess
    database: Database
    headers: dict[str, str]

    async def open(self) -> "list[asyncpg.Record]":
        return await open_calls(self.database)

    async def ledger(self) -> list[dict[str, Any]]:
        async with aiohttp.ClientSession(self.server.url) as http:
            return list((await _call(http, "GET", "/api/ledger?limit=1000"))["data"])

    async def lose_leases(self) -> list[dict[str, Any]]:
        """The ledger, once nothing is open any more."""
        await lose_leases(self.database)
        return await self.ledger()


@asynccontextmanager
async def killable(database_url: str, upstream: OpenAIUpstream) -> AsyncIterator[Killable]:
    settings = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": "0f" * 32}
    async with ServerProcess.started("--dev", port=free_port(), **settings) as server:
        async with aiohttp.ClientSession(server.url) as http:
            provider = {
                "kind": "openai",
                "base_url": upstream.base_url,
                "needs_credential": False,
            }
            await _call(http, "PUT", "/api/providers/double", provider)
            target = {"provider": "double", "model": "m"}
            await _call(http, "PUT", "/api/routes/told", {"targets": [target]})
            price = {"provider": "double", "model": "m", "input": "1", "output": "2"}
            await _call(http, "POST", "/api/prices", price)
            key = await _call(http, "POST", "/api/keys", {"requests_per_minute": None})
        database = Database(database_url)
        headers = {"Authorization": f"Bearer {key['virtual_key']}"}
        yield Killable(server, database, headers)
        await database.aclose()


async def test_a_stream_that_had_begun_is_paid_for_at_its_bound(
    database_url: str, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.hang(after_events=3)
    async with killable(database_url, openai_upstream) as gateway:
        async with aiohttp.ClientSession(gateway.server.url) as http:
            answer = await http.post(
                "/v1/chat/completions", json={**CHAT, "stream": True}, headers=gateway.headers
            )
            async with asyncio.timeout(10):
                first = await answer.content.readline()
            assert first.startswith(b"data: ")

            (held,) = await gateway.open()
            assert await gateway.server.stop(signal.SIGKILL) == -signal.SIGKILL

        await gateway.server.start()
        assert await gateway.ledger() == []
        assert len(await gateway.open()) == 1

        (entry,) = await gateway.lose_leases()
        assert entry["request_id"] == answer.headers["x-request-id"]
        assert UUID(entry["request_id"].removeprefix("req_")) == held["request_id"]
        assert (entry["outcome"], entry["estimated"]) == ("expired", True)
        assert entry["usage"]["input"] == held["input_bound"]
        assert entry["usage"]["output"] == held["output_bound"] == 20
        assert entry["cost_usd"] == f"{held['cost_bound_usd']:f}".rstrip("0")


async def test_no_answer_that_was_seen_is_missing_in_the_ledger(
    database_url: str, openai_upstream: OpenAIUpstream
) -> None:
    """Killed in the midst of many calls, before their settlements are written."""
    async with killable(database_url, openai_upstream) as gateway:
        seen: list[str] = []

        async def ask() -> None:
            async with aiohttp.ClientSession(gateway.server.url) as http:
                while True:
                    async with http.post(
                        "/v1/chat/completions", json=CHAT, headers=gateway.headers
                    ) as answer:
                        seen.append(answer.headers["x-request-id"])

        callers = [asyncio.create_task(ask()) for _ in range(8)]
        async with asyncio.timeout(20):
            while len(seen) < 60:
                await asyncio.sleep(0.01)
        await gateway.server.stop(signal.SIGKILL)
        ended = await asyncio.gather(*callers, return_exceptions=True)
        assert all(isinstance(error, aiohttp.ClientError) for error in ended)

        await gateway.server.start()
        entries = await gateway.lose_leases()

        told = [entry["request_id"] for entry in entries]
        assert set(seen) <= set(told)
        assert len(told) == len(set(told))
        outcomes = {entry["outcome"] for entry in entries}
        assert "expired" in outcomes
        assert outcomes <= {"expired", "succeeded"}


async def test_two_gateways_that_find_the_same_lost_call_settle_it_once(
    database_url: str, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.hang(after_events=1)
    settings = {"DATABASE_URL": database_url, "ENCRYPTION_KEY": "0f" * 32}
    async with killable(database_url, openai_upstream) as gateway:
        async with aiohttp.ClientSession(gateway.server.url) as http:
            answer = await http.post(
                "/v1/chat/completions", json={**CHAT, "stream": True}, headers=gateway.headers
            )
            assert answer.status == 200
            await gateway.server.stop(signal.SIGKILL)
        await gateway.server.start()
        async with ServerProcess.started("--dev", port=free_port(), **settings):
            (entry,) = await gateway.lose_leases()
            async with aiohttp.ClientSession(gateway.server.url) as http:
                (line,) = (await _call(http, "GET", "/api/spend"))["data"]

        assert (line["calls"], line["cost_usd"]) == (1, entry["cost_usd"])


async def _call(
    http: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> dict[str, Any]:
    async with http.request(method, path, json=body) as response:
        assert response.ok, await response.text()
        return dict(await response.json())
