"""What the scripts reckon with, against Python's whole numbers."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from langroute.adapters.redis.scripts import lua
from valkey_fixtures import Valkey

_RECKON = (
    lua("numbers")
    + "local a, b = ARGV[1], ARGV[2]\n"
    + "return { plus(a, b), minus(a, b), is_above(a, b) and 1 or 0 }"
)
_EDGES = st.sampled_from(
    [
        power + step
        for power in (0, 2**53, 10**15, 2 * 10**15, 10**30, 10**45, 2**63, 2**64)
        for step in (-2, -1, 0, 1, 2)
        if power + step >= 0
    ]
)
NUMBERS = st.integers(0, 10**30) | st.integers(0, 10**16) | _EDGES


@pytest.fixture
async def client(valkey_server: Valkey) -> AsyncIterator[Redis]:
    async with valkey_server.client() as client:
        yield client


@settings(max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(a=NUMBERS, b=NUMBERS)
@example(a=10**30, b=10**30)
@example(a=10**15 - 1, b=1)
@example(a=10**30, b=10**30 - 1)
async def test_the_server_reckons_exactly(client: Redis, a: int, b: int) -> None:
    told = await client.eval(_RECKON, 0, str(a), str(b))
    assert told == [str(a + b), str(max(0, a - b)), int(a > b)]
