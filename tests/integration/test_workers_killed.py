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
from leases import lose_leases
from upstreams.openai import OpenAIUpstream
from valkey_fixtures import Valkey, new_valkey
from worker_processes import CHAT, Workers, fresh, serving_workers

WORKERS = 3
KILLS, KILLS_IF_SLOW = 5, 40
CALLERS = 12
BUDGET = Decimal("0.002")  # some 65 calls as they turn out, and fewer at their bounds
SETTINGS = {"LANGROUTE_STORE_TIMEOUT_S": "60", "LANGROUTE_STORE_AWAY": "refuse"}

# What has an entry without a reservation, or a reservation without an entry.
ALONE = """
    select at, request_id, held.key_id is null as unheld, entry.key_id is null as unpaid
    from (select * from langroute.ledger where number = 0) entry
    full join langroute.reservations held using (at, request_id)
    where held.key_id is null or entry.key_id is null
"""


@dataclass(slots=True)
class Load:
    """Callers who never tire, and hear each answer out. Each call has an end user of its own, by
    which it is known again."""

    workers: Workers
    key: dict[str, str] = field(default_factory=dict)
    answered: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    is_over: bool = False
    _numbers: "count[int]" = field(default_factory=count)

    async def call(self) -> None:
        while not self.is_over:
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
            self.is_over = True
            await asyncio.gather(*calling)

    async def until_refused(self) -> None:
        before = self.statuses[429]
        async with asyncio.timeout(60):
            while self.statuses[429] == before:
                await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True)
class Store:
    """Where the workers count. One that `forgets` is started anew, with nothing in it."""

    valkey: Valkey | None = None
    forgets: bool = False

    @property
    def settings(self) -> dict[str, str]:
        return SETTINGS | (self.valkey.settings if self.valkey else {})

    async def harm(self) -> None:
        if self.valkey and self.forgets:
            await self.valkey.kill()
            await asyncio.sleep(random.random() / 10)  # noqa: S311
            await self.valkey.start()


@pytest.fixture(params=["postgres", "redis", "redis that forgets"])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "postgres":
        yield Store()
        return
    async with new_valkey() as valkey:
        yield Store(valkey, forgets=request.param != "redis")


@pytest.mark.timeout(900)
async def test_nothing_is_spent_unseen_and_no_budget_is_passed(
    pytestconfig: pytest.Config, database_url: str, store: Store
) -> None:
    kills = KILLS_IF_SLOW if pytestconfig.getoption("--slow") else KILLS
    budget = {"measure": "money", "amount": str(BUDGET), "per": "month"}
    async with serving_workers(database_url, count=WORKERS, **store.settings) as workers:
        keys = [
            await workers.new_key(requests_per_minute=None, tokens_per_minute=None, limits=[budget])
            for _ in range(kills)
        ]
        load = Load(workers, keys[0])
        async with load.under_way():
            for load.key in keys:
                await asyncio.sleep(random.random() / 4)  # noqa: S311
                await store.harm()
                await asyncio.sleep(random.random() / 4)  # noqa: S311
                random.choice(workers.processes()).kill()  # noqa: S311
                await load.until_refused()
                await workers.until_there_are(WORKERS)
        await workers.kill_the_parent()
        await workers.server.start()
        entries = await settled(database_url, store)
        verified = await workers.server.in_shell(f"{sys.executable} -m langroute verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr

    spent: defaultdict[str, Decimal] = defaultdict(Decimal)
    recorded: dict[str, Decimal] = {}
    for entry in entries:
        assert entry["end_user"] not in recorded  # settled once
        recorded[entry["end_user"]] = entry["cost_usd"]
        spent[entry["key_id"]] += entry["cost_usd"]
    true_costs: dict[str, Decimal] = costs_by_user(workers.upstream)
    assert set(load.answered) <= set(recorded)
    if store.forgets:  # with a process that is killed: a call of which nobody has seen anything
        true_costs = {user: true_costs[user] for user in load.answered}
    assert {user: cost for user, cost in true_costs.items() if recorded.get(user, 0) < cost} == {}
    assert max(spent.values()) <= BUDGET
    # It was a test: calls were answered, lost, and refused.
    assert len(spent) == kills
    assert min(load.statuses[200], load.statuses[0], load.statuses[429]) > 0


def costs_by_user(upstream: OpenAIUpstream) -> dict[str, Decimal]:
    """What the provider would ask for: a dollar for a million tokens in, two for those out."""
    costs: defaultdict[str, Decimal] = defaultdict(Decimal)
    for seen in upstream.seen:
        if seen.usage is not None:
            tokens = seen.usage["prompt_tokens"] + 2 * seen.usage["completion_tokens"]
            costs[seen.body["user"]] += Decimal(tokens) / 10**6
    return costs


async def settled(database_url: str, store: Store) -> list[Any]:
    """The ledger, once no lease is open any more."""
    database = Database(database_url)
    try:
        await lose_leases(database, store.valkey)
        connection = await database.connect()
        try:
            assert await connection.fetch(ALONE) == []
            return list(await connection.fetch("select * from langroute.ledger where number = 0"))
        finally:
            await connection.close()
    finally:
        await database.aclose()
