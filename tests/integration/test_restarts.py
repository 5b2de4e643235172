"""What was counted outlives the gateway that counted it."""

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from command_line import Langroute
from gateway_fixtures import Answered, Scene, running_gateway, scene_on

_STORES = pytest.mark.parametrize("store", ["memory", "postgres"])


async def chats(scene: Scene, count: int, **fields: Any) -> list[int]:
    return [(await scene.chat(**fields)).status for _ in range(count)]


async def limit_key(scene: Scene, **limit: Any) -> Answered:
    (key,) = (await scene.running.call("GET", "/api/keys")).body["data"]
    return await scene.running.call("POST", f"/api/keys/{key['id']}/limits", limit)


async def verified(scene: Scene) -> dict[str, Any]:
    answered = await scene.running.call("GET", "/api/verify")
    assert answered.status == 200, answered
    verdict: dict[str, Any] = answered.body
    assert verdict["differences"] == []
    assert verdict["is_sound"] is True
    return verdict


@_STORES
async def test_a_restart_forgives_nothing(database_url: str, store: str) -> None:
    async with scene_on(database_url, admission=store) as scene:
        await limit_key(scene, measure="requests", amount=3, per="day")
        assert await chats(scene, 2) == [200, 200]
        async with running_gateway(database_url, admission=store) as again:
            after = replace(scene, running=again)
            await scene.running.entries(2)
            assert await chats(after, 2) == [200, 429]
            await again.entries(3)
            await verified(after)


@_STORES
async def test_a_limit_that_is_set_late_counts_what_was_before(
    database_url: str, store: str
) -> None:
    async with scene_on(database_url, admission=store) as scene:
        assert await chats(scene, 3) == [200, 200, 200]
        set_ = await limit_key(scene, measure="requests", amount=4, per="month")
        assert set_.status == 201, set_
        answered = 3
        async with asyncio.timeout(10):
            while (await scene.chat()).status == 200:
                answered += 1
        await limit_key(scene, measure="requests", amount=answered + 2, per="month")
        async with asyncio.timeout(10):
            while (await scene.chat()).status == 429:
                await asyncio.sleep(0.05)
        assert await chats(scene, 2) == [200, 429]
        await scene.running.entries(answered + 2)
        await verified(scene)


async def test_every_counter_in_memory_is_compared_while_it_counts(scene: Scene) -> None:
    await limit_key(scene, measure="money", amount="100", per="month")
    await asyncio.gather(*(scene.chat() for _ in range(10)))
    verdict = await verified(scene)
    await scene.running.entries(10)
    assert await verified(scene)
    assert verdict["looked_at"]["counters in memory"] >= 3


async def test_verify_is_a_command_that_fails_where_something_differs(
    database_url: str, cli: Langroute
) -> None:
    async with scene_on(database_url) as scene:
        assert await chats(scene, 2) == [200, 200]
        await scene.running.entries(2)
        sound = await cli("verify", "--json")
        assert sound.returncode == 0, sound.stderr
        assert json.loads(sound.stdout)["looked_at"]["entries"] == 2
        total = "update langroute.virtual_keys set total_calls = 3"
        assert (await cli("psql", "-c", total)).returncode == 0
        wrong = await cli("verify")
        assert wrong.returncode == 1
        assert "calls" in wrong.stdout
        (difference,) = json.loads((await cli("verify", "--json")).stdout)["differences"]
        (key,) = (await scene.running.call("GET", "/api/keys")).body["data"]
        assert difference == {
            "kind": "key",
            "which": key["id"],
            "what": "calls",
            "expected": "2",
            "found": "3",
        }


@_STORES
async def test_a_correction_counts_at_once(database_url: str, store: str, cli: Langroute) -> None:
    async with scene_on(database_url, admission=store) as scene:
        await limit_key(scene, measure="tokens", amount=10**6, per="month")
        assert await chats(scene, 1) == [200]
        (entry,) = await scene.running.entries(1)
        corrected = await cli(
            "ledger",
            "correct",
            entry["request_id"],
            "--tokens",
            "output=999999",
            "--cost",
            "1",
            "--reason",
            "the bill",
        )
        assert corrected.returncode == 0, corrected.stderr
        async with asyncio.timeout(10):
            while (await scene.chat()).status != 429:
                await asyncio.sleep(0.02)
        await verified(scene)
