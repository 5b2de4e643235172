"""No entry is lost, none counts twice, and the totals of the keys are the sum of the ledger."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

import asyncpg
import pytest

from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.application.ports.ledger import SpendQuery
from langroute.domain.keys import VirtualKey
from langroute.domain.ledger import LedgerEntry
from langroute.domain.money import Money
from langroute.domain.usage import TokenUsage
from postgres_fixtures import Databases, Server, type_in
from samples import ENTROPY, new_entry, new_key

_DRIFT = """
    select k.id, k.total_cost, k.total_tokens, k.total_calls
    from langroute.virtual_keys k left join (
        select key_id, sum(cost_usd) as cost, count(*) as calls, sum(
            input_tokens + cached_input_tokens + cache_write_tokens + audio_input_tokens
            + cache_write_1h_tokens + image_input_tokens + output_tokens + reasoning_tokens
            + audio_output_tokens + image_output_tokens
        ) as tokens
        from langroute.ledger group by key_id
    ) l on l.key_id = k.id
    where (k.total_cost, k.total_tokens, k.total_calls)
        is distinct from (coalesce(l.cost, 0), coalesce(l.tokens, 0), coalesce(l.calls, 0))
"""


async def test_the_totals_are_the_sum_of_the_ledger(database: Database) -> None:
    keys = [await _new_key(database) for _ in range(5)]
    entries = [
        new_entry(
            key_id=keys[number % 5].id,
            cost=Money(10**24 + number),
            usage=TokenUsage(input=number, image_input=number % 3, audio_output=1, image_output=2),
        )
        for number in range(1_234)
    ]
    async with PostgresLedger(database) as ledger:
        for entry in entries:
            ledger.record(entry)
        await ledger.flush()

    assert await _drift(database) == []
    assert await _count(database) == 1_234
    (row,) = await _fetch(
        database, "select sum(total_cost), sum(total_tokens) from langroute.virtual_keys"
    )
    assert Money.from_usd(row[0]).pico == sum(entry.cost.pico for entry in entries)
    assert row[1] == sum(entry.usage.total for entry in entries)


async def test_a_replay_changes_nothing(database: Database) -> None:
    key = await _new_key(database)
    entries = [new_entry(key_id=key.id) for _ in range(20)]
    for _ in range(3):
        async with PostgresLedger(database) as ledger:
            for entry in [*entries, *entries]:
                ledger.record(replace(entry, cost=Money(entry.cost.pico)))

    assert await _count(database) == 20
    assert await _drift(database) == []


async def test_two_gateways_that_write_the_same_at_once_count_it_once(
    databases: Databases,
) -> None:
    async with databases.url() as url:
        nodes = [Database(url) for _ in range(3)]
        keys = [await _new_key(nodes[0]) for _ in range(20)]
        entries = [new_entry(key_id=keys[number % 20].id) for number in range(900)]

        async def write(node: Database, mine: Sequence[LedgerEntry]) -> None:
            async with PostgresLedger(node) as ledger:
                for entry in mine:
                    ledger.record(entry)

        await asyncio.gather(
            write(nodes[0], entries),
            write(nodes[1], entries[::-1]),
            write(nodes[2], entries[450:] + entries[:450]),
        )

        assert await _count(nodes[0]) == 900
        assert await _drift(nodes[0]) == []
        for node in nodes:
            await node.aclose()


@pytest.mark.parametrize("mode", ["fast", "immediate"])
async def test_entries_recorded_while_postgres_is_away_are_written_once_it_is_back(
    server: Server, mode: str
) -> None:
    async with server.databases.migrated() as database, PostgresLedger(database) as ledger:
        key = await _new_key(database)
        for _ in range(600):
            ledger.record(new_entry(key_id=key.id))
        # Some are being written at this moment: whether they arrived, nobody is told.
        await asyncio.sleep(0)
        await server.stop(mode)
        for _ in range(400):
            ledger.record(new_entry(key_id=key.id))
            await asyncio.sleep(0)

        async with server.running():
            await ledger.flush()

        assert len(ledger) == 0
        assert await _count(database) == 1_000
        assert await _drift(database) == []


async def test_there_is_no_room_while_too_much_waits(server: Server) -> None:
    async with server.databases.migrated() as database:
        async with PostgresLedger(database, capacity=10) as ledger:
            await server.stop()
            for number in range(10):
                assert ledger.has_room(), number
                ledger.record(new_entry())
            assert not ledger.has_room()
            # A call that was admitted before is recorded all the same.
            ledger.record(new_entry())

            async with server.running():
                await ledger.flush()
            assert ledger.has_room()

        assert await _count(database) == 11


async def test_closing_says_how_much_was_lost(
    server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    async with server.databases.migrated() as database:
        ledger = PostgresLedger(database)
        ledger.start()
        await server.stop()
        for _ in range(3):
            ledger.record(new_entry())

        await ledger.aclose(within_s=0.2)

        async with server.running():
            errors = [line for line in caplog.records if line.levelno == logging.ERROR]
            assert [line.getMessage()[:16] for line in errors] == ["3 ledger entries"]
            assert await _count(database) == 0


async def test_closing_without_having_started_is_nothing(database: Database) -> None:
    await PostgresLedger(database).aclose()


async def test_an_entry_that_cannot_be_written_holds_up_no_other(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    key = await _new_key(database)
    good = [new_entry(key_id=key.id) for _ in range(50)]
    too_many = new_entry(key_id=key.id, usage=TokenUsage(input=2**63))
    too_dear = new_entry(key_id=key.id, cost=Money(10**31))
    too_late = new_entry(key_id=key.id, at_ns=10**24)

    async with PostgresLedger(database) as ledger:
        for entry in [*good[:20], too_many, *good[20:30], too_dear, too_late, *good[30:]]:
            ledger.record(entry)
        await ledger.flush()

    assert await _count(database) == 50
    assert await _drift(database) == []
    errors = [line.getMessage() for line in caplog.records if line.levelno == logging.ERROR]
    assert len(errors) == 3
    for bad in (too_many, too_dear, too_late):
        assert any(str(bad.request_id) in error for error in errors)


async def test_text_that_postgres_cannot_keep_does_not_cost_the_entry(database: Database) -> None:
    async with PostgresLedger(database) as ledger:
        ledger.record(new_entry(model="a\0b", error="half a \ud800 character"))
        await ledger.flush()

        (entry,) = await ledger.entries(None, 1)

    assert entry.model == "a\ufffdb"
    assert entry.error == "half a ? character"


async def test_an_entry_of_a_key_that_is_gone_is_written_all_the_same(database: Database) -> None:
    entry = new_entry()
    async with PostgresLedger(database) as ledger:
        ledger.record(entry)
        await ledger.flush()

        (line,) = await ledger.spend(SpendQuery())

    assert (line.name, line.cost) == (str(entry.key_id), entry.cost)


@pytest.mark.parametrize(
    "statement",
    [
        "update langroute.ledger set cost_usd = 0",
        "update langroute.ledger set cost_usd = 0 where false",
        "delete from langroute.ledger",
        "truncate langroute.ledger",
        """insert into langroute.ledger select * from langroute.ledger
        on conflict (at, request_id, number) do update set cost_usd = 0""",
    ],
)
async def test_what_is_in_the_ledger_stays_as_it_is(database: Database, statement: str) -> None:
    async with PostgresLedger(database) as ledger:
        ledger.record(new_entry())

    with pytest.raises(asyncpg.RestrictViolationError, match="only ever added to"):
        await type_in(database, statement)


async def test_changing_a_key_keeps_its_totals(database: Database) -> None:
    key = await _new_key(database)
    async with PostgresLedger(database) as ledger:
        ledger.record(new_entry(key_id=key.id))

    await PostgresKeys(database).put(replace(key, name="renamed"))

    assert await _drift(database) == []


async def _new_key(database: Database) -> VirtualKey:
    key = new_key(id=ENTROPY.uuid())
    await PostgresKeys(database).put(key)
    return key


async def _drift(database: Database) -> list[tuple[object, ...]]:
    return [tuple(row) for row in await _fetch(database, _DRIFT)]


async def _count(database: Database) -> int:
    (row,) = await _fetch(database, "select count(*) from langroute.ledger")
    return int(row[0])


async def _fetch(database: Database, query: str) -> "list[asyncpg.Record]":
    connection = await database.connect()
    try:
        return await connection.fetch(query)
    finally:
        await connection.close()
