"""Admissions of any amount, against the pure books: the contract's fuzz has small ones."""

from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.system.clock import SystemClock
from langroute.domain.admission import Reservation
from langroute.domain.books import Books
from langroute.domain.limits import Measure
from langroute.domain.money import Money
from langroute.domain.periods import FOR_GOOD
from langroute.domain.usage import TokenUsage
from redis_crowd import a_limit, an_ask
from valkey_fixtures import Valkey, a_line

AMOUNTS = st.integers(0, 10**30) | st.integers(0, 10**17) | st.sampled_from([2**53, 10**15 - 1])


class Call(NamedTuple):
    asked: int
    used: int | None


@pytest.fixture
async def admission(valkey_server: Valkey) -> AsyncIterator[RedisAdmission]:
    async with a_line(valkey_server.url) as line:
        yield RedisAdmission(line, SystemClock())


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=AMOUNTS,
    calls=st.lists(st.builds(Call, asked=AMOUNTS, used=st.none() | AMOUNTS), max_size=12),
)
async def test_amounts_of_any_size_are_counted_as_the_books_do(
    admission: RedisAdmission, limit: int, calls: list[Call]
) -> None:
    team, books = uuid4(), Books()
    limits = [
        a_limit(team, Measure.MONEY, limit, FOR_GOOD),
        a_limit(team, Measure.MONEY, 2 * limit),
        a_limit(team, Measure.TOKENS, limit),
    ]
    for call in calls:
        ask = an_ask(team, tokens=call.asked, pico=call.asked)
        expected, books = books.admit(ask, limits, ask.at_ns)
        decision, standings = await admission.admit(ask, limits)
        assert isinstance(decision, Reservation) is isinstance(expected, Reservation)
        counters = [counter.used(ask.at_ns) for counter in books.counters.values()]
        assert [each.used for each in standings if each.used] == [c for c in counters if c]
        if isinstance(decision, Reservation) and call.used is not None:
            usage, cost = TokenUsage(output=call.used), Money(call.used)
            _, books = books.settle(ask.request_id, usage, cost, ask.at_ns)
            admission.settle(decision, usage, cost)
