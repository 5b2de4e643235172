"""What every list of charged calls must do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from langroute.adapters.memory.charged_calls import MemoryChargedCalls
from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.postgres.charged_calls import PostgresChargedCalls
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.application.ports.charged_calls import ChargedCalls, ChargedQuery
from langroute.application.ports.ledger import LedgerCorrections, LedgerWriter
from langroute.domain.corrections import BookedCall
from langroute.domain.ledger import LedgerEntry
from langroute.domain.money import Money
from postgres_fixtures import Databases
from samples import SECOND_NS, new_entry


@dataclass(frozen=True, slots=True)
class Store:
    writer: LedgerWriter
    corrections: LedgerCorrections
    calls: ChargedCalls
    postgres: PostgresLedger | None = None

    async def record(self, *entries: LedgerEntry) -> None:
        for entry in entries:
            self.writer.record(entry)
        if self.postgres is not None:
            await self.postgres.flush()


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Store]:
    if request.param == "memory":
        memory = MemoryLedger()
        yield Store(memory, memory, MemoryChargedCalls(memory))
        return
    async with databases.migrated() as database, PostgresLedger(database) as ledger:
        yield Store(ledger, PostgresCorrections(database), PostgresChargedCalls(database), ledger)


async def test_calls_come_in_pages_the_oldest_first_with_their_corrections(store: Store) -> None:
    start_ns = new_entry().at_ns
    entries = [
        new_entry(at_ns=start_ns + number // 2 * SECOND_NS, upstream_model="m", cost=Money(number))
        for number in range(5)
    ]
    await store.record(*entries)
    call = BookedCall(entry=entries[1])
    correction = call.corrected(
        usage=call.usage, cost=Money(9), reason="why", posted_at_ns=start_ns
    )
    assert await store.corrections.post(correction)
    query = ChargedQuery(
        provider="openai", model="m", from_ns=start_ns, until_ns=start_ns + 9 * SECOND_NS
    )

    found: list[BookedCall] = []
    while page := await store.calls.page(query, found[-1] if found else None, 2):
        assert len(page) <= 2
        found += page

    in_order = sorted(entries, key=lambda entry: (entry.at_ns, entry.request_id))
    assert [each.entry for each in found] == in_order
    (corrected,) = (each for each in found if each.corrections)
    assert (corrected.entry, corrected.cost) == (entries[1], Money(9))


async def test_others_and_those_of_another_time_are_not_among_them(store: Store) -> None:
    start_ns = new_entry().at_ns
    wanted = new_entry(at_ns=start_ns, upstream_model="m")
    await store.record(
        wanted,
        new_entry(at_ns=start_ns, upstream_model="n"),
        new_entry(at_ns=start_ns, upstream_model="m", provider="mistral"),
        new_entry(at_ns=start_ns, upstream_model=None, provider=None),
        new_entry(at_ns=start_ns - 1_000, upstream_model="m"),
        new_entry(at_ns=start_ns + SECOND_NS, upstream_model="m"),
    )
    query = ChargedQuery(
        provider="openai", model="m", from_ns=start_ns, until_ns=start_ns + SECOND_NS
    )

    (found,) = await store.calls.page(query, None, 10)

    assert found.entry == wanted
