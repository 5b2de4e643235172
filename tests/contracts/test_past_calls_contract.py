"""What every store of past calls must do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.memory.past_calls import MemoryPastCalls
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.adapters.postgres.past_calls import PostgresPastCalls
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.application.ports.ledger import LedgerCorrections, LedgerWriter
from langroute.application.ports.past_calls import PastCalls
from langroute.domain.admission import Reservation
from langroute.domain.corrections import BookedCall
from langroute.domain.ledger import LedgerEntry
from langroute.domain.money import Money
from langroute.domain.past_calls import PastCall
from langroute.domain.usage import TokenUsage
from postgres_fixtures import Databases
from samples import SECOND_NS, a_reservation, new_entry


@dataclass(frozen=True, slots=True)
class Store:
    writer: LedgerWriter
    corrections: LedgerCorrections
    calls: PastCalls
    ledger: PostgresLedger | None = None
    reservations: PostgresReservations | None = None

    async def record(self, *entries: LedgerEntry) -> None:
        for entry in entries:
            self.writer.record(entry)
        if self.ledger is not None:
            await self.ledger.flush()

    async def hold(self, *reservations: Reservation) -> None:
        if self.reservations is not None:
            for reservation in reservations:
                self.reservations.hold(reservation)
            await self.reservations.flush()


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Store]:
    if request.param == "memory":
        memory = MemoryLedger()
        yield Store(memory, memory, MemoryPastCalls(memory))
        return
    async with databases.migrated() as database, PostgresLedger(database) as ledger:
        reservations = PostgresReservations(database)
        reservations.start()
        calls = PostgresPastCalls(database)
        yield Store(ledger, PostgresCorrections(database), calls, ledger, reservations)
        await reservations.aclose()


async def told(store: Store, from_ns: int, until_ns: int, size: int = 2) -> list[PastCall]:
    found: list[PastCall] = []
    while page := await store.calls.page(from_ns, until_ns, found[-1] if found else None, size):
        assert len(page) <= size
        found += page
    return found


async def test_calls_come_in_pages_in_their_order(store: Store) -> None:
    start_ns = new_entry().at_ns
    entries = [new_entry(at_ns=start_ns + number // 3 * SECOND_NS) for number in range(8)]
    await store.record(*reversed(entries))

    found = await told(store, start_ns, start_ns + 9 * SECOND_NS)

    in_order = sorted(entries, key=lambda entry: (entry.at_ns, entry.request_id))
    assert [past.call.entry for past in found] == in_order
    assert [past.place for past in found] == sorted(past.place for past in found)


async def test_calls_of_other_times_are_not_among_them(store: Store) -> None:
    start_ns = new_entry().at_ns
    first, last = new_entry(at_ns=start_ns), new_entry(at_ns=start_ns + 2 * SECOND_NS - 1000)
    await store.record(
        new_entry(at_ns=start_ns - 1000), first, last, new_entry(at_ns=start_ns + 2 * SECOND_NS)
    )
    until_ns = start_ns + 2 * SECOND_NS

    assert [past.call.entry for past in await told(store, start_ns, until_ns)] == [first, last]
    assert await store.calls.count(start_ns, until_ns, 10) == 2
    assert await store.calls.count(start_ns, until_ns, 1) == 1
    assert await store.calls.count(until_ns + SECOND_NS, until_ns + 2 * SECOND_NS, 1) == 0


async def test_of_years_without_calls_nothing_is_told(store: Store) -> None:
    now_ns = new_entry().at_ns
    assert await told(store, 0, now_ns) == []
    await store.record(new_entry(at_ns=now_ns))
    assert len(await told(store, 0, now_ns + 1000)) == 1


async def test_corrections_come_with_their_calls(store: Store) -> None:
    start_ns = new_entry().at_ns
    entries = [new_entry(at_ns=start_ns + number * SECOND_NS) for number in range(4)]
    await store.record(*entries)
    call = BookedCall(entry=entries[1])
    for tokens in (7, 8, 9):
        correction = call.corrected(
            usage=TokenUsage(output=tokens),
            cost=Money(tokens),
            reason="the bill",
            posted_at_ns=start_ns + 60 * SECOND_NS,
        )
        assert await store.corrections.post(correction)
        call = call.with_(correction)

    found = await told(store, start_ns, start_ns + 9 * SECOND_NS)

    assert [past.call.entry for past in found] == entries
    assert [len(past.call.corrections) for past in found] == [0, 3, 0, 0]
    assert (found[1].call.usage, found[1].call.cost) == (TokenUsage(output=9), Money(9))


async def test_what_was_asked_for_comes_with_its_call_where_it_is_known(store: Store) -> None:
    held = [a_reservation() for _ in range(4)]
    start_ns = held[0].ask.at_ns
    held = [
        replace(each, ask=replace(each.ask, at_ns=start_ns + number * SECOND_NS))
        for number, each in enumerate(held)
    ]
    await store.hold(*held)
    # The second is still under way; of another call, nothing is kept.
    over = [held[0], held[2], held[3]]
    entries = [
        new_entry(
            request_id=each.ask.request_id,
            key_id=each.ask.key_id,
            at_ns=each.ask.at_ns,
            held=each,
        )
        for each in over
    ]
    unknown = new_entry(at_ns=start_ns + 5 * SECOND_NS)
    await store.record(*entries, unknown)

    found = await told(store, start_ns, start_ns + 9 * SECOND_NS)

    assert [past.call.entry for past in found] == [*entries, unknown]
    assert [past.ask for past in found] == [*(each.ask for each in over), None]
