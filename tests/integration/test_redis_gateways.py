"""Gateways that share a Valkey: processes of their own, called over HTTP."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from postgres_fixtures import Databases
from valkey_fixtures import Valkey, new_valkey
from worker_processes import CHAT, Workers, fresh, serving_workers

_AT_ONCE = 20


@dataclass(slots=True)
class Shared:
    """Two gateways, of two workers each, on one Postgres and one Valkey."""

    valkey: Valkey
    gateways: tuple[Workers, Workers]

    async def statuses(self, key: dict[str, str], calls: int) -> Counter[int]:
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def call(number: int) -> int:
            async with at_once:
                server = self.gateways[number % 2].server
                status, _ = await fresh(server, "/v1/chat/completions", key, CHAT)
                return status

        return Counter(await asyncio.gather(*(call(number) for number in range(calls))))


@pytest.fixture(scope="module")
async def shared(databases: Databases) -> AsyncIterator[Shared]:
    async with databases.url() as url, new_valkey() as valkey:
        settings = {
            **valkey.settings,
            "LANGROUTE_REDIS_URL": valkey.url.replace("//", "//:hush-hush@"),
            "LANGROUTE_STORE_AWAY": "refuse",
            "LANGROUTE_STORE_TIMEOUT_S": "5",
        }
        async with valkey.client() as client:
            await client.config_set("requirepass", "hush-hush")
        async with (
            serving_workers(url, count=2, **settings) as one,
            serving_workers(url, count=2, **settings) as other,
        ):
            yield Shared(valkey, (one, other))


async def test_the_start_tells_where_limits_are_counted_and_no_secret(shared: Shared) -> None:
    said = shared.gateways[0].server.said()
    assert "limits          in Redis or Valkey" in said
    assert "hush" not in said


async def test_gateways_admit_exactly_the_limit_together(shared: Shared) -> None:
    key = await shared.gateways[0].new_key(requests_per_minute=60, tokens_per_minute=None)
    assert await shared.statuses(key, 150) == {200: 60, 429: 90}
    told = await shared.gateways[0].until_it_is_verified()
    assert told["looked_at"]["counters in Redis"] >= 1


async def test_what_is_not_used_is_given_back_to_all(shared: Shared) -> None:
    key = await shared.gateways[0].new_key(requests_per_minute=None, tokens_per_minute=1_000_000)
    assert await shared.statuses(key, 10) == {200: 10}
    async with aiohttp.ClientSession(shared.gateways[1].server.url, headers=key) as http:
        async with asyncio.timeout(10):
            while True:
                async with http.post("/v1/chat/completions", json=CHAT) as response:
                    assert response.status == 200
                    left = int(response.headers["x-ratelimit-remaining-tokens"])
                if left > 1_000_000 - 100 * 13:
                    break


async def test_a_correction_counts_for_all_of_them_and_once(shared: Shared) -> None:
    one, other = shared.gateways
    key = await one.new_key(requests_per_minute=None, tokens_per_minute=1_000_000)
    async with (
        aiohttp.ClientSession(one.server.url, headers=key) as http,
        http.post("/v1/chat/completions", json=CHAT) as response,
    ):
        assert response.status == 200
        call = response.headers["x-request-id"]
    await one.until_it_is_written(call)
    correction = {
        "reason": "the provider billed more",
        "usage": {"output": 70_000},
        "cost_usd": "1",
    }
    path = f"/api/ledger/{call}/corrections"
    status, told = await fresh(one.server, path, body=correction)
    assert status < 300, told

    async with asyncio.timeout(20):
        while not 70_000 <= (used := await _tokens_used(other, key)) < 70_100:
            assert used < 70_000
            await asyncio.sleep(0.05)
    await other.until_it_is_verified()


async def _tokens_used(gateway: Workers, key: dict[str, str]) -> int:
    status, told = await fresh(gateway.server, "/v1/usage", key)
    assert status == 200, told
    (limit,) = json.loads(told)["limits"]
    return int(limit["used"])


async def test_a_valkey_that_is_away_refuses_and_forgives_nothing_afterwards(
    shared: Shared,
) -> None:
    key = await shared.gateways[0].new_key(requests_per_minute=30, tokens_per_minute=None)
    assert await shared.statuses(key, 20) == {200: 20}
    await shared.valkey.kill()
    assert await shared.statuses(key, 8) == {503: 8}
    await shared.valkey.start()
    async with shared.valkey.client() as client:
        await client.config_set("requirepass", "hush-hush")
    async with asyncio.timeout(20):
        statuses: Counter[int] = Counter()
        while statuses[429] == 0:
            statuses += await shared.statuses(key, 1)
    assert statuses[200] == 10
    assert "hush" not in shared.gateways[1].server.said()


async def test_a_counter_that_is_wrong_is_told_of(shared: Shared) -> None:
    key = await shared.gateways[0].new_key(requests_per_minute=1000, tokens_per_minute=None)
    assert await shared.statuses(key, 4) == {200: 4}
    await shared.gateways[0].until_it_is_verified()
    async with shared.valkey.client("hush-hush") as client:
        newest = {
            name: await client.hget(name, "newest")
            async for name in client.scan_iter("langroute:*")
            if await client.type(name) == "hash" and await client.hexists(name, "newest")
        }
        for name in newest:
            await client.hincrby(name, "total", 1)
        async with (
            aiohttp.ClientSession(shared.gateways[1].server.url) as http,
            http.get("/api/verify") as response,
        ):
            told = await response.json()
        for name in newest:
            await client.hincrby(name, "total", -1)
    assert told["differences"]
    assert {each["what"] for each in told["differences"]} == {"total"}
