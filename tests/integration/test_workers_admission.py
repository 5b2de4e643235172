"""What several workers admit together, by their own processes and real HTTP."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from decimal import Decimal
from typing import Any

import aiohttp
import pytest

from langroute.domain.chat import ChatRequest
from postgres_fixtures import Databases
from upstreams.gate import Gate
from upstreams.turn import Turn
from valkey_fixtures import new_valkey
from worker_processes import CHAT, OUTPUT_CAP, Workers, serving_workers

# This machine may be slow, and nothing here is about a store that is away.
PATIENT = {"LANGROUTE_STORE_TIMEOUT_S": "60", "LANGROUTE_STORE_AWAY": "refuse"}

CALLS = 2_000
ADMITTED = 300
# As many as are let in stay until all have been decided about; the others take turns.
CONNECTIONS = ADMITTED + 100

BOUND_IN = ChatRequest.parse(CHAT).input_bound
BOUND_OUT = OUTPUT_CAP
MICRO = Decimal("0.000001")  # a dollar a million tokens in, two dollars out
COST_BOUND = (BOUND_IN + 2 * BOUND_OUT) * MICRO


@pytest.fixture(scope="module", params=["postgres", "redis"])
async def four(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        url = await stack.enter_async_context(databases.url())
        settings = {**PATIENT}
        if request.param == "redis":
            valkey = await stack.enter_async_context(new_valkey())
            settings |= valkey.settings
        yield await stack.enter_async_context(serving_workers(url, count=4, **settings))


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "limit",
    [
        {"measure": "requests", "amount": ADMITTED, "per": 3600},
        {"measure": "tokens", "amount": ADMITTED * (BOUND_IN + BOUND_OUT), "per": 3600},
        {"measure": "money", "amount": str(ADMITTED * COST_BOUND), "per": "day"},
        {"measure": "parallel", "amount": ADMITTED},
    ],
    ids=["requests", "tokens", "money", "parallel"],
)
async def test_of_two_thousand_calls_at_once_exactly_the_limit_is_admitted(
    four: Workers, limit: dict[str, Any]
) -> None:
    """None of those that are is over before all have been decided about."""
    key = await four.new_key(requests_per_minute=None, tokens_per_minute=None, limits=[limit])
    gate = Gate()
    four.upstream.forget()
    four.upstream.default = Turn(gate=gate)
    async with aiohttp.ClientSession(
        four.server.url, headers=key, connector=aiohttp.TCPConnector(limit=CONNECTIONS)
    ) as http:
        calls = [asyncio.create_task(status_of_a_call(http)) for _ in range(CALLS)]
        try:
            async with asyncio.timeout(120):
                while len(four.upstream.seen) <= ADMITTED and (
                    sum(call.done() for call in calls) + len(four.upstream.seen) < CALLS
                ):
                    await asyncio.sleep(0.02)
        finally:
            gate.open()
            four.upstream.default = Turn()
        statuses = Counter(await asyncio.gather(*calls))
    assert statuses == {200: ADMITTED, 429: CALLS - ADMITTED}
    assert len(four.upstream.seen) == ADMITTED
    await four.until_it_is_verified()


async def status_of_a_call(http: aiohttp.ClientSession) -> int:
    async with http.post("/v1/chat/completions", json=CHAT) as response:
        await response.read()
        return response.status
