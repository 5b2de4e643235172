"""However many processes and connections ask at once: exactly what the limits allow is admitted."""

import asyncio
import json
import sys
from pathlib import Path

import asyncpg
import pytest

from admitting import CLOCK, ENTROPY, a_call, admitted_of, limits_of
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.domain.ids import KeyId
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import ZERO
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD
from langroute.domain.usage import NO_USAGE
from processes import ran

# Counters that are not the sum of what unsettled calls have claimed.
_DRIFT = """
    select c.limit_id, c.total + c.spent + c.reserved, claimed.amount
    from langroute.counters c full join (
        select (claim ->> 'limit')::uuid as limit_id, claim ->> 'name' as name,
            sum((claim ->> 'amount')::numeric) as amount
        from langroute.reservations, jsonb_array_elements(claims) claim group by 1, 2
    ) claimed using (limit_id, name)
    where coalesce(c.total + c.spent + c.reserved, 0) <> coalesce(claimed.amount, 0)
"""
TESTS = Path(__file__).parents[2]
MEASURES = ["requests", "tokens", "money"]


async def rows(database: Database, query: str) -> "list[asyncpg.Record]":
    connection = await database.connect()
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()


async def drift(database: Database) -> "list[tuple[object, ...]]":
    return [tuple(row) for row in await rows(database, _DRIFT)]


@pytest.mark.parametrize("measure", MEASURES)
async def test_several_gateways_admit_exactly_the_limit(database: Database, measure: str) -> None:
    team, organization = ENTROPY.uuid(), ENTROPY.uuid()
    gateways = [PostgresAdmission(database, CLOCK, within_s=60) for _ in range(4)]
    try:
        admitted = await asyncio.gather(
            *(
                admitted_of(
                    gateway,
                    [a_call(key, team, organization) for _ in range(100)],
                    limits_of(key, team, organization, measure, 137),
                )
                for gateway, key in zip(gateways, [ENTROPY.uuid() for _ in gateways], strict=True)
            )
        )
    finally:
        for gateway in gateways:
            await gateway.aclose()
    assert sum(map(len, admitted)) == 137
    kept = await rows(database, "select count(*) from langroute.reservations")
    assert kept[0][0] == 137
    assert await drift(database) == []


@pytest.mark.parametrize("measure", MEASURES)
async def test_several_processes_admit_exactly_the_limit(database_url: str, measure: str) -> None:
    order = {
        "team": str(ENTROPY.uuid()),
        "organization": str(ENTROPY.uuid()),
        "measure": measure,
        "count": 211,
        "calls": 120,
    }
    command = [sys.executable, "admitting.py", database_url, json.dumps(order)]
    processes = await asyncio.gather(*(ran(*command, cwd=TESTS) for _ in range(3)))
    assert [(code, errors) for code, _, errors in processes] == [(0, "")] * 3
    assert sum(int(out) for _, out, _ in processes) == 211
    database = Database(database_url)
    assert await drift(database) == []
    await database.aclose()


async def test_calls_whose_limits_overlap_never_wait_in_turn(database: Database) -> None:
    """Each of four keys meets the limits of the others in another order."""
    keys = [ENTROPY.uuid() for _ in range(4)]
    limits = [
        Limit(scope=key_scope(key), measure=measure, amount=10**9)
        for key in keys
        for measure in (Measure.REQUESTS, Measure.TOKENS)
    ]
    gateways = [PostgresAdmission(database, CLOCK, within_s=60) for _ in range(4)]
    orders = [limits, limits[::-1], limits[3:] + limits[:3], limits[5:] + limits[:5]]
    admitted = await asyncio.gather(
        *(
            admitted_of(gateway, [a_call(key) for _ in range(50)], order)
            for gateway, key, order in zip(gateways, keys, orders, strict=True)
        )
    )
    for gateway in gateways:
        await gateway.aclose()
    assert [len(each) for each in admitted] == [50] * 4
    deadlocks = await rows(
        database, "select deadlocks from pg_stat_database where datname = current_database()"
    )
    assert deadlocks[0][0] == 0


async def test_parallel_calls_are_as_many_as_allowed_whoever_admits_them(
    database: Database,
) -> None:
    key = KeyId(ENTROPY.uuid())
    parallel = Limit(scope=key_scope(key), measure=Measure.PARALLEL, amount=5, window=FOR_GOOD)
    gateways = [PostgresAdmission(database, CLOCK, within_s=60) for _ in range(3)]
    admitted = await asyncio.gather(
        *(
            admitted_of(gateway, [a_call(key) for _ in range(10)], [parallel])
            for gateway in gateways
        )
    )
    assert sum(map(len, admitted)) == 5
    for gateway, held in zip(gateways, admitted, strict=True):
        assert all(gateway.settle(each, NO_USAGE, ZERO) is not None for each in held)
        await gateway.aclose()
