"""What every ledger must do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.application.ports.ledger import (
    LedgerReports,
    LedgerWriter,
    SpendLine,
    SpendQuery,
)
from langroute.domain.ids import KeyId
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.money import Money
from langroute.domain.usage import TokenUsage
from postgres_fixtures import Databases
from samples import ENTROPY, SECOND_NS, new_entry


@dataclass(frozen=True, slots=True)
class Ledger:
    writer: LedgerWriter
    reports: LedgerReports
    written: Callable[[], Awaitable[None]]

    async def record(self, *entries: LedgerEntry) -> None:
        for entry in entries:
            self.writer.record(entry)
        await self.written()


@pytest.fixture(params=["memory", "postgres"])
async def ledger(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Ledger]:
    if request.param == "memory":
        memory = MemoryLedger()
        yield Ledger(memory, memory, _at_once)
        return
    async with databases.migrated() as database, PostgresLedger(database) as postgres:
        yield Ledger(postgres, postgres, postgres.flush)


async def _at_once() -> None:
    pass


async def test_an_entry_reads_back_as_it_was_recorded(ledger: Ledger) -> None:
    full = new_entry(
        usage=TokenUsage(
            input=1,
            cached_input=2,
            cache_write=3,
            audio_input=4,
            output=5,
            reasoning=6,
            audio_output=7,
            image_input=8,
            image_output=9,
        ),
        cost=Money(10**24 + 1),
        error="it broke",
        outcome=Outcome.BROKEN_OFF,
        priced=False,
        estimated=True,
    )
    bare = new_entry(
        provider=None, upstream_model=None, first_byte_ns=None, attempts=0, streamed=False
    )

    await ledger.record(full, bare)

    assert await ledger.reports.entries(full.key_id, 10) == [full]
    assert await ledger.reports.entries(bare.key_id, 10) == [bare]


async def test_every_outcome_can_be_recorded(ledger: Ledger) -> None:
    await ledger.record(*(new_entry(outcome=outcome) for outcome in Outcome))

    found = await ledger.reports.entries(None, 100)
    assert {entry.outcome for entry in found} == set(Outcome)


async def test_an_entry_recorded_again_counts_once(ledger: Ledger) -> None:
    entry = new_entry()

    await ledger.record(entry, entry)
    await ledger.record(replace(entry, cost=Money(1)))

    (line,) = await ledger.reports.spend(SpendQuery())
    assert (line.calls, line.cost) == (1, entry.cost)
    assert await ledger.reports.entries(None, 10) == [entry]


async def test_the_newest_entries_come_first_and_no_more_than_asked_for(ledger: Ledger) -> None:
    start_ns = new_entry().at_ns
    made = [new_entry(at_ns=start_ns + number * SECOND_NS) for number in range(4)]

    await ledger.record(made[2], made[0], made[3], made[1])

    assert await ledger.reports.entries(None, 3) == [made[3], made[2], made[1]]


async def test_spend_adds_up_under_each_heading_the_dearest_first(ledger: Ledger) -> None:
    one, two = KeyId(ENTROPY.uuid()), KeyId(ENTROPY.uuid())
    usage = TokenUsage(
        input=10, cache_write=1, image_input=20, output=5, audio_output=2, image_output=40
    )
    await ledger.record(
        new_entry(key_id=one, model="a", provider="x", usage=usage, cost=Money(10)),
        new_entry(key_id=one, model="b", provider="y", usage=usage, cost=Money(1), estimated=True),
        new_entry(key_id=two, model="a", provider=None, usage=usage, cost=Money(30), priced=False),
    )

    def line(name: str, calls: int, cost: int, unpriced: int, estimated: int) -> SpendLine:
        return SpendLine(
            name=name,
            calls=calls,
            prompt_tokens=31 * calls,
            completion_tokens=47 * calls,
            cost=Money(cost),
            unpriced_calls=unpriced,
            estimated_calls=estimated,
        )

    assert await ledger.reports.spend(SpendQuery()) == [
        line(str(two), 1, 30, 1, 0),
        line(str(one), 2, 11, 0, 1),
    ]
    assert await ledger.reports.spend(SpendQuery(by="model")) == [
        line("a", 2, 40, 1, 0),
        line("b", 1, 1, 0, 1),
    ]
    assert await ledger.reports.spend(SpendQuery(by="provider")) == [
        line("", 1, 30, 1, 0),
        line("x", 1, 10, 0, 0),
        line("y", 1, 1, 0, 1),
    ]
    assert await ledger.reports.spend(SpendQuery(by="model", key_id=one)) == [
        line("a", 1, 10, 0, 0),
        line("b", 1, 1, 0, 1),
    ]


async def test_spend_of_a_time_has_its_start_and_not_its_end(ledger: Ledger) -> None:
    start_ns = new_entry().at_ns
    await ledger.record(
        *(
            new_entry(at_ns=start_ns + number * 1_000, model=str(number), cost=Money(9 - number))
            for number in range(4)
        )
    )

    within = SpendQuery(by="model", from_ns=start_ns + 1_000, until_ns=start_ns + 3_000)

    assert [line.name for line in await ledger.reports.spend(within)] == ["1", "2"]


async def test_nothing_was_spent_at_first(ledger: Ledger) -> None:
    assert await ledger.reports.spend(SpendQuery()) == []
    assert await ledger.reports.entries(None, 10) == []
    assert ledger.writer.has_room()
