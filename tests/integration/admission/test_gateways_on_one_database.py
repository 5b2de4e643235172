"""Whole gateways that share a database, and with it their limits."""

import asyncio

from admitting import CLOCK, ENTROPY, PRICE, a_call
from gateway_fixtures import Scene, running_gateway, scene_on
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.domain.ids import KeyId
from langroute.domain.limits import Limit, Measure
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD
from langroute.domain.usage import TOKEN_CLASSES
from leases import end_leases
from postgres_fixtures import Server

_TOKENS = " + ".join(f"l.{name}_tokens" for name in TOKEN_CLASSES)
_UNEVEN = f"""
    select c.limit_id from langroute.counters c
    where c.total + c.spent + c.reserved <> (
        select coalesce(sum(case claim ->> 'measure'
            when 'requests' then 1
            when 'tokens' then case when l.at is null then (claim ->> 'amount')::numeric
                else {_TOKENS} end
        end), 0)
        from langroute.reservations r
        cross join jsonb_array_elements(r.claims) claim
        left join langroute.ledger l on l.at = r.at and l.request_id = r.request_id
        where (claim ->> 'limit')::uuid = c.limit_id
    )
"""


async def uneven(url: str) -> int:
    database = Database(url)
    connection = await database.connect()
    try:
        return len(await connection.fetch(_UNEVEN))
    finally:
        await connection.close()
        await database.aclose()


async def test_two_gateways_keep_one_keys_limits_together(database_url: str) -> None:
    shared = {"admission": "postgres", "store_timeout_s": 30.0}
    async with (
        scene_on(database_url, **shared) as scene,
        running_gateway(database_url, **shared) as other,
    ):
        key = await scene.running.new_key(requests_per_minute=20, tokens_per_minute=10**6)
        await scene.running.call("POST", "/api/save-keys", {"virtualKey": key, **_SECRETS})
        answers = await asyncio.gather(
            *(gateway.chat(key) for gateway in (scene.running, other) for _ in range(25))
        )
        statuses = sorted(answer.status for answer in answers)
        assert statuses == [200] * 20 + [429] * 30
        told = {a.headers["x-ratelimit-remaining-requests"] for a in answers if a.status == 200}
        assert "0" in told
        await scene.running.entries(20)
        await verify(scene)
    assert await uneven(database_url) == 0


async def test_calls_go_on_by_a_share_while_postgres_is_away_and_are_counted(
    server: Server,
) -> None:
    async with (
        server.databases.url() as url,
        scene_on(url, admission="postgres", sharers=4) as scene,
    ):
        key = await scene.running.new_key(requests_per_minute=8, tokens_per_minute=10**6)
        await scene.running.call("POST", "/api/save-keys", {"virtualKey": key, **_SECRETS})
        assert (await scene.running.chat(key)).status == 200
        await scene.running.entries(1)
        await server.stop()
        statuses = [(await scene.running.chat(key)).status for _ in range(4)]
        assert statuses == [200, 200, 429, 429]
        async with server.running():
            await scene.running.entries(3)
            async with asyncio.timeout(30):
                while (await refused_at(scene, key)) != "8":
                    await asyncio.sleep(0.1)
            assert await uneven(url) == 0
            await verify(scene)


async def test_calls_are_refused_while_postgres_is_away_if_that_is_wanted(server: Server) -> None:
    async with (
        server.databases.url() as url,
        scene_on(url, admission="postgres", store_away="refuse") as scene,
    ):
        assert (await scene.chat()).status == 200
        await scene.running.entries(1)
        await server.stop()
        for _ in range(3):
            refused = await scene.chat()
            assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        async with server.running(), asyncio.timeout(30):
            while (await scene.chat()).status != 200:
                await asyncio.sleep(0.1)


async def test_what_a_killed_gateway_held_is_settled_by_another(database_url: str) -> None:
    key = KeyId(ENTROPY.uuid())
    limits = [
        Limit(scope=key_scope(key), measure=measure, amount=10**30, window=FOR_GOOD)
        for measure in (Measure.PARALLEL, Measure.MONEY, Measure.TOKENS)
    ]
    database = Database(database_url)
    killed = PostgresAdmission(database, CLOCK, within_s=30)
    ask = a_call(key)
    await killed.admit(ask, limits)
    await killed.aclose()
    await end_leases(database)

    async with running_gateway(database_url, admission="postgres") as other:
        await other.gateway.expire_reservations()
        (entry,) = await other.entries(1)
        assert (entry["outcome"], entry["request_id"]) == ("expired", f"req_{ask.request_id.hex}")

    left = PostgresAdmission(database, CLOCK, within_s=30)
    _, standings = await left.foresee(ask, limits)
    assert [standing.used for standing in standings] == [0, PRICE, 7]
    await left.aclose()
    await database.aclose()


async def verify(scene: Scene) -> None:
    verified = await scene.running.call("GET", "/api/verify")
    assert verified.status == 200, verified
    assert verified.body["differences"] == [], verified
    assert verified.body["looked_at"]["counters"] >= 2


async def refused_at(scene: Scene, key: str) -> str:
    """The limit that is told: all of it, once Postgres decides again."""
    answer = await scene.running.call("GET", "/v1/usage", key=key)
    assert answer.status == 200, answer
    return answer.headers["x-ratelimit-limit-requests"]


_SECRETS = {"openaiKey": "sk-proj-the-openai-secret", "mistralKey": "the-mistral-secret"}
