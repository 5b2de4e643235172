"""What happens while the server is away, and after it has come back with nothing in it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import pytest

from langroute.adapters.memory.stand_in import StandIn
from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.redis.connecting import connect
from langroute.adapters.redis.line import Line
from langroute.adapters.system.clock import SystemClock
from langroute.application.ports.admission import Admission
from langroute.domain.admission import Reservation
from langroute.domain.errors import StoreUnavailable
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import ZERO, Money
from langroute.domain.usage import NO_USAGE, TokenUsage
from redis_crowd import a_limit, an_ask
from valkey_fixtures import Valkey, a_line

# Beyond the second that a call waits: the machine may be busy.
_SOON_S = 3.0


async def admitted(
    admission: Admission, team: UUID, *limits: Limit, tokens: int = 0
) -> Reservation:
    decision, _ = await admission.admit(an_ask(team, tokens=tokens, pico=tokens), limits)
    assert isinstance(decision, Reservation), decision
    return decision


async def unavailable(admission: Admission, team: UUID, *limits: Limit) -> float:
    """How long it took to say so, in seconds."""
    began = time.monotonic()
    with pytest.raises(StoreUnavailable):
        await admission.admit(an_ask(team), limits)
    return time.monotonic() - began


async def admitted_again(admission: Admission, team: UUID, *limits: Limit) -> None:
    """Waits for the server to be back, with a bound."""
    async with asyncio.timeout(20):
        while True:
            try:
                await admitted(admission, team, *limits)
            except StoreUnavailable:
                await asyncio.sleep(0.01)
                continue
            return


async def used_of(admission: RedisAdmission, team: UUID, limit: Limit) -> int:
    async with asyncio.timeout(20):
        await admission.flush()
    _, (standing,) = await admission.foresee(an_ask(team), [limit])
    return standing.used


@asynccontextmanager
async def an_admission(valkey: Valkey) -> AsyncIterator[RedisAdmission]:
    async with a_line(valkey.url) as line:
        yield RedisAdmission(line, SystemClock())


async def test_a_server_that_is_away_makes_nobody_wait_for_long(valkey_to_stop: Valkey) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.REQUESTS, 10)
    async with an_admission(valkey_to_stop) as admission:
        await admitted(admission, team, limit)
        await valkey_to_stop.kill()
        assert await unavailable(admission, team, limit) < _SOON_S
        await unavailable(admission, team, limit)
        # By now it is known to be away.
        assert await unavailable(admission, team, limit) < 0.9
        await valkey_to_stop.start()
        await admitted_again(admission, team, limit)


async def test_a_server_that_hangs_makes_nobody_wait_for_long_and_admits_nothing_unheard(
    valkey_to_stop: Valkey,
) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.TOKENS, 1000)
    async with an_admission(valkey_to_stop) as admission:
        held = await admitted(admission, team, limit, tokens=100)
        with valkey_to_stop.stopped():
            assert await unavailable(admission, team, limit) < _SOON_S
            admission.settle(held, TokenUsage(output=7), ZERO)
        assert await used_of(admission, team, limit) == 7


async def test_settlements_wait_for_the_server(valkey_to_stop: Valkey) -> None:
    """One that came back with nothing in it has nothing to settle, and hangs nobody up."""
    team = uuid4()
    limit = a_limit(team, Measure.TOKENS, 1000)
    async with an_admission(valkey_to_stop) as admission:
        held = [await admitted(admission, team, limit, tokens=10) for _ in range(50)]
        with valkey_to_stop.stopped():
            for reservation in held[:25]:
                admission.settle(reservation, TokenUsage(output=1), ZERO)
        assert await used_of(admission, team, limit) == 25 * 10 + 25
        await valkey_to_stop.kill()
        for reservation in held[25:]:
            assert admission.settle(reservation, TokenUsage(output=1), ZERO) is not None
        await valkey_to_stop.start()
        assert await used_of(admission, team, limit) == 0


async def test_a_server_that_is_stopped_and_started_under_load_never_passes_a_limit(
    valkey_to_stop: Valkey,
) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.PARALLEL, 5)
    under_way, most = 0, 0
    done = asyncio.Event()

    async def calls(admission: RedisAdmission) -> int:
        nonlocal under_way, most
        made = 0
        while not done.is_set():
            try:
                decision, _ = await admission.admit(an_ask(team), [limit])
            except StoreUnavailable:
                await asyncio.sleep(0)
                continue
            if isinstance(decision, Reservation):
                under_way += 1
                most = max(most, under_way)
                await asyncio.sleep(0.001)
                under_way -= 1
                admission.settle(decision, NO_USAGE, ZERO)
                made += 1
        return made

    async with an_admission(valkey_to_stop) as one, an_admission(valkey_to_stop) as other:
        crowd = [asyncio.create_task(calls(one if n % 2 else other)) for n in range(20)]
        for _ in range(3):
            await asyncio.sleep(0.2)
            with valkey_to_stop.stopped():
                await asyncio.sleep(0.3)
        done.set()
        made = await asyncio.gather(*crowd)
        assert sum(made) > 0
        assert most <= 5
        await other.flush()
        assert await used_of(one, team, limit) == 0


async def test_nobody_is_admitted_while_settlements_have_no_room(valkey_to_stop: Valkey) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.REQUESTS, 100)
    line = Line(lambda: connect(valkey_to_stop.url), capacity=3)
    line.start()
    admission = RedisAdmission(line, SystemClock())
    held = [await admitted(admission, team, limit) for _ in range(10)]
    with valkey_to_stop.stopped():
        for reservation in held:
            admission.settle(reservation, NO_USAGE, ZERO)
        assert await unavailable(admission, team, limit) < 0.9
    async with asyncio.timeout(20):
        await line.flush()
    await admitted(admission, team, limit)
    await line.aclose()


async def test_a_call_that_was_admitted_elsewhere_meanwhile_is_held_from_then_on(
    valkey_to_stop: Valkey,
) -> None:
    team = uuid4()
    requests = a_limit(team, Measure.REQUESTS, 1)
    budget = a_limit(team, Measure.MONEY, 10**20)
    limits = (requests, budget)
    async with an_admission(valkey_to_stop) as shared:
        admission = StandIn(shared, SystemClock(), sharers=2)
        before = await admitted(admission, team, *limits, tokens=10)
        with valkey_to_stop.stopped():
            alone = await admitted(admission, team, *limits, tokens=10)
            refusal, _ = await admission.admit(an_ask(team), limits)
            assert not isinstance(refusal, Reservation)
            assert admission.settle(alone, TokenUsage(output=3), Money(3)) is not None
            assert admission.settle(alone, TokenUsage(output=3), Money(3)) is None
        await back(admission, shared)
        admission.settle(before, NO_USAGE, Money(2))
        assert await used_of(shared, team, requests) == 2
        assert await used_of(shared, team, budget) == 2 + 3
        await admission.aclose()


async def back(admission: StandIn, shared: RedisAdmission) -> None:
    async with asyncio.timeout(20):
        while admission._share is not None:
            await asyncio.sleep(0.01)


async def test_a_server_that_may_evict_is_warned_of(
    valkey_to_stop: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    async with valkey_to_stop.client() as client:
        await client.config_set("maxmemory", 10**8)
        await client.config_set("maxmemory-policy", "allkeys-lru")
    async with an_admission(valkey_to_stop) as admission:
        await admitted(admission, uuid4())
    assert "its maxmemory-policy is allkeys-lru" in caplog.text


async def test_scripts_that_the_server_has_forgotten_are_told_again(
    valkey_to_stop: Valkey,
) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.TOKENS, 1000)
    async with an_admission(valkey_to_stop) as admission, valkey_to_stop.client() as client:
        held = await admitted(admission, team, limit, tokens=10)
        await client.script_flush()
        admission.settle(held, TokenUsage(output=3), ZERO)
        await admitted(admission, team, limit, tokens=10)
        assert await used_of(admission, team, limit) == 13


async def test_a_server_without_memory_or_that_may_not_be_written_is_one_that_is_away(
    valkey_to_stop: Valkey,
) -> None:
    team = uuid4()
    limit = a_limit(team, Measure.REQUESTS, 10)
    async with an_admission(valkey_to_stop) as admission, valkey_to_stop.client() as client:
        held = await admitted(admission, team, limit)
        await client.config_set("maxmemory", 1)
        assert await unavailable(admission, team, limit) < _SOON_S
        admission.settle(held, NO_USAGE, ZERO)
        await client.config_set("maxmemory", 0)
        await admitted_again(admission, team, limit)
        assert await used_of(admission, team, limit) == 2
        await client.replicaof("127.0.0.1", 1)
        assert await unavailable(admission, team, limit) < _SOON_S
        await client.replicaof("no", "one")
        await admitted_again(admission, team, limit)
        assert await used_of(admission, team, limit) == 3


async def test_while_the_server_is_away_nothing_is_kept_of_calls_that_are_refused() -> None:
    line = Line(lambda: connect("redis://127.0.0.1:1"), within_s=0.1)
    line.start()
    admission = RedisAdmission(line, SystemClock())
    async with asyncio.timeout(20):
        while not line.is_away:
            await unavailable(admission, uuid4())
    waiting = len(line)
    for _ in range(100):
        await unavailable(admission, uuid4())
    assert len(line) <= waiting
    await line.aclose(within_s=0)


async def test_a_process_that_decides_by_itself_keeps_so_many_calls_and_no_more() -> None:
    team = uuid4()
    line = Line(lambda: connect("redis://127.0.0.1:1"), within_s=0.1)
    line.start()
    clock = SystemClock()
    stand_in = StandIn(RedisAdmission(line, clock), clock, sharers=1, most=3)
    for _ in range(3):
        await admitted(stand_in, team)
    await unavailable(stand_in, team)
    await stand_in.aclose()
    await line.aclose(within_s=0)
