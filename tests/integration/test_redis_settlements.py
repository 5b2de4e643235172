"""What a call gives back on the server waits for what the ledger says of it."""

import asyncio
from uuid import uuid4

from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.redis.line import Line
from langroute.adapters.system.clock import SystemClock
from langroute.domain.admission import Reservation
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import ZERO
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
