"""What several workers admit together, by their own processes and real HTTP."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from langroute.domain.chat import ChatRequest
from postgres_fixtures import Databases
from upstreams.gate import Gate
from upstreams.turn import Turn
from worker_processes import CHAT, OUTPUT_CAP, Workers, fresh, serving_workers

# This machine may be slow, and nothing here is about a store that is away.
PATIENT = {"LANGROUTE_STORE_TIMEOUT_S": "60", "LANGROUTE_STORE_AWAY": "refuse"}

BOUND_IN = ChatRequest.parse(CHAT).input_bound
BOUND_OUT = OUTPUT_CAP
MICRO = Decimal("0.000001")  # a dollar a million tokens in, two dollars out
COST_BOUND = (BOUND_IN + 2 * BOUND_OUT) * MICRO


@pytest.fixture(scope="module")
async def four(databases: Databases) -> AsyncIterator[Workers]:
    async with databases.url() as url, serving_workers(url, count=4, **PATIENT) as workers:
        yield workers


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "limit",
    [
        {"measure": "requests", "amount": 100, "per": 3600},
        {"measure": "tokens", "amount": 100 * (BOUND_IN + BOUND_OUT), "per": 3600},
        {"measure": "money", "amount": str(100 * COST_BOUND), "per": "day"},
        {"measure": "parallel", "amount": 100},
    ],
    ids=["requests", "tokens", "money", "parallel"],
)
async def test_four_workers_admit_exactly_the_limit(four: Workers, limit: dict[str, Any]) -> None:
    """Of 300 calls at once, none of which is over before all have been decided about."""
    key = await four.new_key(requests_per_minute=None, tokens_per_minute=None, limits=[limit])
    gate = Gate()
    four.upstream.forget()
    four.upstream.default = Turn(gate=gate)
    try:
        calls = [
            asyncio.create_task(fresh(four.server, "/v1/chat/completions", key, CHAT))
            for _ in range(300)
        ]
        async with asyncio.timeout(120):
            while sum(call.done() for call in calls) + len(four.upstream.seen) < 300:
                await asyncio.sleep(0.02)
    finally:
        gate.open()
        four.upstream.default = Turn()
    statuses = Counter(status for status, _ in await asyncio.gather(*calls))
    assert statuses == {200: 100, 429: 200}
    assert len(four.upstream.seen) == 100
