"""Workers that are killed under load, at random moments: what providers were asked for is paid for,
and no budget is passed."""

import asyncio
import random
import sys
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import Any

import aiohttp
import pytest

from langroute.adapters.postgres.database import Database
from postgres_fixtures import type_in
from upstreams.openai import OpenAIUpstream
from worker_processes import CHAT, Workers, fresh, serving_workers

WORKERS = 3
KILLS = 8
CALLERS = 12
BUDGET = Decimal("0.002")  # some 65 calls as they turn out, and fewer at their bounds
SETTINGS = {"LANGROUTE_STORE_TIMEOUT_S": "60", "LANGROUTE_STORE_AWAY": "refuse"}

# As if the time had passed.
LATER = (
    "alter table langroute.reservations disable trigger append_only",
    "update langroute.reservations set lease_until = now() - interval '1 second'",
    "alter table langroute.reservations enable trigger append_only",
)
OPEN = """
    select count(*) from langroute.reservations held where not exists (
        select from langroute.ledger
        where ledger.at = held.at and ledger.request_id = held.request_id
    )
"""


@dataclass(slots=True)
class Load:
    """Callers who never tire. Each call has an end user of its own, by which it is known again."""

    workers: Workers
    key: dict[str, str]
    answered: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    _numbers: "count[int]" = field(default_factory=count)

    async def call(self) -> None:
        while True:
            user = f"user-{next(self._numbers)}"
            stream = random.random() < 0.5  # noqa: S311
            body = {**CHAT, "user": user, "stream": stream}
            try:
                async with asyncio.timeout(30):
                    status, _ = await fresh(
                        self.workers.server, "/v1/chat/completions", self.key, body
                    )
            except (aiohttp.ClientError, TimeoutError):
                status = 0
            self.statuses[status] += 1
            if status == 200:
                self.answered.append(user)
            else:
                await asyncio.sleep(0.05)

    @asynccontextmanager
    async def under_way(self) -> AsyncIterator[None]:
        calling = [asyncio.create_task(self.call()) for _ in range(CALLERS)]
        try:
            yield
        finally:
            for task in calling:
                task.cancel()
            await asyncio.gather(*calling, return_exceptions=True)


@pytest.mark.timeout(400)
async def test_nothing_is_spent_unseen_and_no_budget_is_passed(database_url: str) -> None:
    async with serving_workers(database_url, count=WORKERS, **SETTINGS) as workers:
        budget = {"measure": "money", "amount": str(BUDGET), "per": "month"}
        key = await workers.new_key(
            requests_per_minute=None, tokens_per_minute=None, limits=[budget]
        )
        load = Load(workers, key)
        async with load.under_way():
            for _ in range(KILLS):
                await asyncio.sleep(random.random())  # noqa: S311
                random.choice(workers.processes()).kill()  # noqa: S311
                await workers.until_there_are(WORKERS)
            async with asyncio.timeout(60):
                while not load.statuses[429]:
                    await asyncio.sleep(0.05)
        await workers.kill_the_parent()
        await workers.server.start()
        database = Database(database_url)
        try:
            entries = await settled(database)
        finally:
            await database.aclose()
        verified = await workers.server.in_shell(f"{sys.executable} -m langroute verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr

    true_costs = costs_by_user(workers.upstream)
    recorded: dict[str, Decimal] = {}
    for entry in entries:
        assert entry["end_user"] not in recorded  # settled once
        recorded[entry["end_user"]] = entry["cost_usd"]
    assert set(load.answered) <= set(recorded)
    assert {user: cost for user, cost in true_costs.items() if recorded.get(user, 0) < cost} == {}
    assert sum(true_costs.values()) <= sum(recorded.values()) <= BUDGET
    # It was a test: calls were answered, lost, and refused.
    assert min(load.statuses[200], load.statuses[0], load.statuses[429]) > 0


def costs_by_user(upstream: OpenAIUpstream) -> dict[str, Decimal]:
    """What the provider would ask for: a dollar for a million tokens in, two for those out."""
    costs: defaultdict[str, Decimal] = defaultdict(Decimal)
    for seen in upstream.seen:
        if seen.usage is not None:
            tokens = seen.usage["prompt_tokens"] + 2 * seen.usage["completion_tokens"]
            costs[seen.body["user"]] += Decimal(tokens) / 10**6
    return costs


async def settled(database: Database) -> list[Any]:
    """The ledger, once no lease is open any more."""
    await type_in(database, *LATER)
    connection = await database.connect()
    try:
        async with asyncio.timeout(60):
            while await connection.fetchval(OPEN):
                await asyncio.sleep(0.1)
        return list(await connection.fetch("select * from langroute.ledger where number = 0"))
    finally:
        await connection.close()
