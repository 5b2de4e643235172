"""The one statement that posts a batch: whatever gateways write at once, all that is kept added up
is what the ledger adds up to."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from admitting import CLOCK, a_call
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.evidence import PostgresWitness
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.adapters.postgres.limits import PostgresLimits
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.application.ledger.verify_ledger import VerifyLedger
from langroute.domain.admission import Ask
from langroute.domain.ids import RequestId
from langroute.domain.keys import VirtualKey
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit, Measure, Sliding
from langroute.domain.money import Money
from langroute.domain.periods import FOR_GOOD
from langroute.domain.usage import TokenUsage
from postgres_fixtures import Databases, type_in
from samples import entry_of, new_key

_CALLS = 240
_KEYS = 3
_TEAM = UUID(int=7)


async def test_what_gateways_post_at_once_adds_up(databases: Databases) -> None:
    """Entries of the same keys, some told by several gateways, some corrected meanwhile, of calls
    of a team, a provider, a tag, or none; and one of the keys goes."""
    async with databases.url() as url:
        nodes = [Database(url) for _ in range(3)]
        first, *_ = nodes
        keys = [await _with_budget(first) for _ in range(_KEYS)]
        entries = [entry for key in keys for entry in await _admitted(first, key, _CALLS)]
        chance = random.Random(5)  # noqa: S311

        async def write(node: Database, mine: Sequence[LedgerEntry]) -> None:
            async with PostgresLedger(node) as ledger:
                for entry in mine:
                    ledger.record(entry)
                    if chance.random() < 0.05:
                        await ledger.written()

        async def correct(node: Database, some: Sequence[LedgerEntry]) -> None:
            for entry in some:
                await _corrected(node, entry.request_id)

        shuffled = [chance.sample(entries, len(entries)) for _ in nodes]
        await asyncio.gather(
            # Each by two of them.
            write(nodes[0], shuffled[0][: len(entries) * 2 // 3]),
            write(nodes[1], shuffled[0][len(entries) // 3 :]),
            write(nodes[2], [*shuffled[0][: len(entries) // 3], *shuffled[0][-240:]][::-1]),
            *(correct(node, shuffled[1][:12]) for node in nodes),
            type_in(first, f"delete from langroute.virtual_keys where id = '{keys[0].id}'"),
        )

        await type_in(first, "delete from langroute.recounts")
        verdict = await VerifyLedger([PostgresWitness(first, 900.0)])()
        assert verdict.differences == []
        corrections = 12 * len(nodes)
        assert verdict.looked_at["entries"] == len(entries) + corrections
        assert verdict.looked_at["counters"] >= 2 * (_KEYS - 1)
        left = await _spent(first, keys[1:])
        expected = sum(entry.cost.pico for entry in entries if entry.key_id != keys[0].id)
        by_id = {entry.request_id: entry for entry in entries}
        corrected = [by_id[entry.request_id] for entry in shuffled[1][:12]]
        expected += sum(len(nodes) for entry in corrected if entry.key_id != keys[0].id)
        assert left == expected
        for node in nodes:
            await node.aclose()


@pytest.mark.parametrize("count", [1, 7])
async def test_what_is_told_twice_in_a_batch_counts_once(database: Database, count: int) -> None:
    key = await _with_budget(database)
    entries = await _admitted(database, key, count)
    async with PostgresLedger(database) as ledger:
        for entry in [*entries, *entries, *entries[::-1]]:
            ledger.record(entry)

    assert await _spent(database, [key]) == sum(entry.cost.pico for entry in entries)


async def _with_budget(database: Database) -> VirtualKey:
    key = new_key()
    await PostgresKeys(database).put(key)
    for limit in (_budget(key), _window(key)):
        await PostgresLimits(database).set(limit)
    return key


def _budget(key: VirtualKey) -> Limit:
    return Limit(scope=key.scope, measure=Measure.MONEY, amount=10**27, window=FOR_GOOD)


def _window(key: VirtualKey) -> Limit:
    window = Sliding(seconds=3600)
    return Limit(scope=key.scope, measure=Measure.TOKENS, amount=10**9, window=window)


async def _admitted(database: Database, key: VirtualKey, count: int) -> list[LedgerEntry]:
    admission = PostgresAdmission(database, CLOCK, within_s=60, longest_call_s=900.0)
    asks = [_ask(key, number) for number in range(count)]
    limits = [_budget(key), _window(key)]
    await asyncio.gather(*(admission.admit(ask, limits) for ask in asks))
    await admission.aclose()
    # Beyond 64 bits, all of them together.
    return [
        entry_of(ask, TokenUsage(input=number), Money(10**18 + number))
        for number, ask in enumerate(asks)
    ]


def _ask(key: VirtualKey, number: int) -> Ask:
    """Of calls with a heading, or without."""
    return replace(
        a_call(key.id, team=_TEAM if number % 2 else None), tag="a,b" if number % 3 else None
    )


async def _corrected(database: Database, request_id: RequestId) -> None:
    """By one pico-dollar, once it is there, whoever else corrects it."""
    corrections = PostgresCorrections(database)
    async with asyncio.timeout(60):
        while True:
            call = await corrections.call(request_id)
            if call is not None and await corrections.post(
                call.corrected(
                    usage=call.usage,
                    cost=Money(call.cost.pico + 1),
                    reason="a test",
                    posted_at_ns=CLOCK.now_ns(),
                )
            ):
                return
            await asyncio.sleep(0.01)


async def _spent(database: Database, keys: Sequence[VirtualKey]) -> int:
    """As their counters have it."""
    connection = await database.connect()
    try:
        ids = [_budget(key).id for key in keys]
        query = "select sum(spent + reserved) from langroute.counters where limit_id = any($1)"
        return int(await connection.fetchval(query, ids))
    finally:
        await connection.close()
