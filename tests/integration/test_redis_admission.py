"""What a server that several processes share must do, beside what every store does."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.system.clock import SystemClock
from langroute.domain.admission import Ask, Reservation
from langroute.domain.limits import Limit, Measure, Sliding
from langroute.domain.money import ZERO, Money
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.usage import NO_USAGE, TokenUsage
from redis_crowd import a_limit, an_ask
from valkey_fixtures import Valkey, a_line

_CROWD = Path(__file__).parents[1] / "redis_crowd.py"
_PROCESSES = 3
_CALLS = 700
# Beyond 2^53, where numbers are no longer exact for the server's language.
_MUCH = 10**17 + 1
S = 10**9


@pytest.fixture
async def admission(valkey_server: Valkey) -> AsyncIterator[RedisAdmission]:
    async with a_line(valkey_server.url) as line:
        yield RedisAdmission(line, SystemClock())


@pytest.fixture
async def other(valkey_server: Valkey) -> AsyncIterator[RedisAdmission]:
    """The same of another process."""
    async with a_line(valkey_server.url) as line:
        yield RedisAdmission(line, SystemClock())


@pytest.fixture
async def client(valkey_server: Valkey) -> AsyncIterator[Redis]:
    async with valkey_server.client() as client:
        yield client


async def admitted(admission: RedisAdmission, ask: Ask, *limits: Limit) -> Reservation:
    decision, _ = await admission.admit(ask, limits)
    assert isinstance(decision, Reservation), decision
    return decision


async def used_of(admission: RedisAdmission, team: UUID, limit: Limit) -> int:
    await admission.flush()
    _, (standing,) = await admission.foresee(an_ask(team), [limit])
    return standing.used


@pytest.mark.parametrize(
    ("measure", "amount", "each", "expected"),
    [
        (Measure.REQUESTS, 1000, 0, 1000),
        (Measure.TOKENS, 10_009, 10, 1000),
        (Measure.MONEY, 900 * _MUCH + _MUCH - 1, _MUCH, 900),
    ],
)
async def test_processes_that_ask_together_are_admitted_exactly_the_limit(
    valkey_server: Valkey, measure: Measure, amount: int, each: int, expected: int
) -> None:
    told = {
        "url": valkey_server.url,
        "team": uuid4().hex,
        "measure": measure,
        "amount": amount,
        "each": each,
        "calls": _CALLS,
    }
    crowd = [
        await asyncio.create_subprocess_exec(
            sys.executable,
            str(_CROWD),
            json.dumps(told),
            stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(_PROCESSES)
    ]
    outs = await asyncio.gather(*(process.communicate() for process in crowd))
    assert sum(int(out) for out, _ in outs) == expected


async def test_parallel_calls_of_two_processes_share_a_limit(
    admission: RedisAdmission, other: RedisAdmission
) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.PARALLEL, 2)
    first = await admitted(admission, an_ask(team), limit)
    await admitted(other, an_ask(team), limit)
    refusal, _ = await other.foresee(an_ask(team), [limit])
    assert refusal is not None
    admission.settle(first, NO_USAGE, ZERO)
    await admission.flush()
    await admitted(other, an_ask(team), limit)


async def test_what_a_process_left_is_settled_by_another_and_only_once(
    admission: RedisAdmission, other: RedisAdmission
) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.TOKENS, 1000)
    lost = await admitted(admission, an_ask(team, tokens=300, lease_ns=0), limit)
    # The other one comes upon it as it admits a call of the same tenant.
    await admitted(other, an_ask(team, tokens=1), limit)
    (found,) = await other.expired()
    assert found == lost
    assert other.settle(found, TokenUsage(output=300), ZERO) == []
    await other.flush()
    assert admission.settle(lost, TokenUsage(output=5), ZERO) is not None
    assert await used_of(admission, team, limit) == 301


async def test_what_was_left_of_a_tenant_that_went_quiet_is_found(
    admission: RedisAdmission, other: RedisAdmission, client: Redis
) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.PARALLEL, 1)
    lost = await admitted(admission, an_ask(team, lease_ns=-61 * S), limit)
    assert lost in await other.expired()
    other.settle(lost, NO_USAGE, ZERO)
    await other.flush()
    assert await client.zscore("langroute:tenants", team.hex) is not None
    assert await used_of(admission, team, limit) == 0


async def test_a_call_that_was_given_up_while_it_was_asked_for_holds_nothing(
    valkey_server: Valkey, admission: RedisAdmission
) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.TOKENS, 1000)
    asking = asyncio.create_task(admission.admit(an_ask(team, tokens=100), [limit]))
    with valkey_server.stopped():
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
    assert await used_of(admission, team, limit) == 0


async def test_nothing_stays_for_good(admission: RedisAdmission, client: Redis) -> None:
    team = uuid4()
    limits = [
        a_limit(team, Measure.REQUESTS, 10, Sliding(seconds=60)),
        a_limit(team, Measure.MONEY, 10**9, Period(every=Every.MONTH, zone="Europe/Berlin")),
        a_limit(team, Measure.PARALLEL, 10),
    ]
    budget = a_limit(team, Measure.MONEY, 10**9, FOR_GOOD)
    reservation = await admitted(admission, an_ask(team, pico=7), *limits, budget)
    keys = [key async for key in client.scan_iter(f"langroute:{{{team.hex}}}:*")]
    assert len(keys) == 6  # with the call and the leases
    admission.settle(reservation, NO_USAGE, Money(5))
    await admission.flush()
    left = [key async for key in client.scan_iter(f"langroute:{{{team.hex}}}:*")]
    assert [key for key in left if await client.ttl(key) <= 0] == []
    assert len(left) == 3
    # What is counted for good stays for longer than its limit is taken to be known: see seed.lua.
    (kept,) = [key for key in left if key.split(":")[-1] == budget.id.hex]
    assert await client.ttl(kept) > 62 * 24 * 3600
