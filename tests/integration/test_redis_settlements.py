"""What a call gives back on the server waits for what the ledger says of it."""

import asyncio
from uuid import uuid4

from langroute.adapters.memory.history import MemoryHistory
from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.redis.line import Line
from langroute.adapters.redis.names import counter_key, known_key
from langroute.adapters.system.clock import SystemClock
from langroute.domain.admission import Reservation
from langroute.domain.limits import Limit, Measure, Sliding
from langroute.domain.money import ZERO
from langroute.domain.periods import FOR_GOOD
from langroute.domain.usage import TokenUsage
from redis_crowd import a_limit, an_ask
from valkey_fixtures import Valkey, a_line


async def a_settled_call(admission: RedisAdmission, limit: Limit) -> None:
    held, _ = await admission.admit(an_ask(limit.scope.id, tokens=100), [limit])
    assert isinstance(held, Reservation)
    assert admission.settle(held, TokenUsage(output=3), ZERO) is not None


async def used_of(line: Line, limit: Limit) -> int:
    await line.flush()
    asking = RedisAdmission(line, SystemClock())
    _, (standing,) = await asking.foresee(an_ask(limit.scope.id), [limit])
    return standing.used


async def test_nothing_is_given_back_before_the_ledger_has_the_entry(
    valkey_server: Valkey,
) -> None:
    limit = a_limit(uuid4(), Measure.TOKENS, 10_000)
    is_written = asyncio.Event()
    async with a_line(valkey_server.url) as line:
        admission = RedisAdmission(line, SystemClock(), written=is_written.wait)
        for _ in range(3):
            await a_settled_call(admission, limit)
        assert await used_of(line, limit) == 300
        is_written.set()
        await admission.aclose()
        assert await used_of(line, limit) == 9


async def test_a_ledger_that_is_away_is_not_waited_for_long(valkey_server: Valkey) -> None:
    limit = a_limit(uuid4(), Measure.TOKENS, 10_000)
    async with a_line(valkey_server.url) as line:
        admission = RedisAdmission(line, SystemClock(), written=asyncio.Event().wait)
        await a_settled_call(admission, limit)
        async with asyncio.timeout(10):
            await admission.flush()
        assert await used_of(line, limit) == 3


async def test_a_call_that_outlives_its_counter_leaves_nothing_that_stays_for_ever(
    valkey_server: Valkey,
) -> None:
    limit = a_limit(uuid4(), Measure.TOKENS, 10_000)
    counter = counter_key(limit.scope.id.hex, limit.id.hex)
    async with a_line(valkey_server.url) as line, valkey_server.client() as client:
        admission = RedisAdmission(line, SystemClock())
        held, _ = await admission.admit(an_ask(limit.scope.id, tokens=100), [limit])
        assert isinstance(held, Reservation)
        assert await client.delete(counter) == 1  # as it does by itself, an hour after its window
        admission.settle(held, TokenUsage(output=3), ZERO)
        await admission.flush()
        assert not await client.exists(counter)


async def test_a_limit_that_counts_stays_known(valkey_server: Valkey) -> None:
    """Corrections are counted only where it is."""
    money = a_limit(uuid4(), Measure.MONEY, 10**20, FOR_GOOD)
    requests = a_limit(money.scope.id, Measure.REQUESTS, 100, Sliding(seconds=1))
    known = [known_key(money.scope.id.hex, limit) for limit in (money, requests)]
    async with a_line(valkey_server.url) as line, valkey_server.client() as client:
        admission = RedisAdmission(line, SystemClock(), MemoryHistory(MemoryLedger()))
        await admission.admit(an_ask(money.scope.id), [money, requests])
        for key in known:
            assert await client.expire(key, 100)
        async with asyncio.timeout(20):
            while any([await client.ttl(key) <= 100 for key in known]):
                await admission.admit(an_ask(money.scope.id), [money, requests])
