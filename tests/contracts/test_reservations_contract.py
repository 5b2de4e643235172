"""What every store of reservations must do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

import pytest

from clocks import SteppedClock
from langroute.adapters.memory.reservations import MemoryReservations
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.application.ports.reservations import Reservations
from langroute.domain.admission import Claim, CounterId, Reservation
from langroute.domain.ids import OrganizationId, TeamId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Measure
from langroute.domain.money import Money
from postgres_fixtures import Databases
from samples import CLOCK, ENTROPY, SECOND_NS, a_reservation, new_entry

HOUR_NS = 3600 * SECOND_NS


@dataclass(frozen=True, slots=True)
class Store:
    reservations: Reservations
    clock: SteppedClock
    write: Callable[[LedgerEntry], Awaitable[None]]

    async def hold(self, *reservations: Reservation) -> None:
        for reservation in reservations:
            self.reservations.hold(reservation)
        async with asyncio.timeout(10):
            await asyncio.gather(*map(self.reservations.held, reservations))

    async def expired(self, now_ns: int) -> Sequence[Reservation]:
        self.clock.ns = now_ns
        return await self.reservations.expired()

    async def settle(self, reservation: Reservation) -> None:
        ask = reservation.ask
        entry = new_entry(request_id=ask.request_id, key_id=ask.key_id, at_ns=ask.at_ns)
        await self.write(entry)
        self.reservations.settled(reservation)


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Store]:
    clock = SteppedClock()
    if request.param == "memory":
        yield Store(MemoryReservations(clock), clock, _nowhere)
        return
    async with databases.migrated() as database, PostgresLedger(database) as ledger:
        postgres = PostgresReservations(database, now_ns=clock.now_ns)
        postgres.start()

        async def write(entry: LedgerEntry) -> None:
            ledger.record(entry)
            await ledger.flush()

        yield Store(postgres, clock, write)
        await postgres.aclose()


async def _nowhere(entry: LedgerEntry) -> None:
    del entry


async def test_a_reservation_whose_lease_has_run_out_reads_back_as_it_was_held(
    store: Store,
) -> None:
    full = a_reservation(
        team_id=TeamId(ENTROPY.uuid()),
        organization_id=OrganizationId(ENTROPY.uuid()),
        end_user="ann",
        tag="search",
        input_bound=2**40,
        output_bound=0,
        cost_bound=Money(10**24 + 1),
        priced=False,
    )
    claims = (
        Claim(
            counter=CounterId(uuid4(), "ann\0\ud800 50%é"),
            measure=Measure.MONEY,
            amount=10**24 + 1,
            place=2**60,
        ),
        Claim(counter=CounterId(uuid4()), measure=Measure.PARALLEL, amount=1, place=0),
    )
    full = replace(full, claims=claims)
    bare = a_reservation()

    await store.hold(full, bare)

    found = await store.expired(CLOCK.now_ns() + 2 * HOUR_NS)
    assert {each.ask.request_id: each for each in found} == {
        full.ask.request_id: full,
        bare.ask.request_id: bare,
    }


async def test_a_lease_that_runs_on_has_not_expired(store: Store) -> None:
    reservation = a_reservation()
    await store.hold(reservation)

    assert await store.expired(reservation.ask.lease_until_ns - SECOND_NS) == []
    assert await store.expired(reservation.ask.lease_until_ns) == [reservation]
    assert await store.expired(reservation.ask.lease_until_ns) == [reservation]


async def test_what_was_settled_does_not_expire(store: Store) -> None:
    settled, left = a_reservation(), a_reservation()
    await store.hold(settled, left)

    await store.settle(settled)

    assert await store.expired(CLOCK.now_ns() + 2 * HOUR_NS) == [left]
    await store.settle(left)
    assert await store.expired(CLOCK.now_ns() + 2 * HOUR_NS) == []


async def test_what_is_held_again_is_there_once(store: Store) -> None:
    reservation = a_reservation()
    await store.hold(reservation)

    await store.hold(reservation)

    assert await store.expired(CLOCK.now_ns() + 2 * HOUR_NS) == [reservation]


async def test_many_are_held_at_once(store: Store) -> None:
    many = [a_reservation() for _ in range(1_000)]

    await store.hold(*many)

    found = await store.expired(CLOCK.now_ns() + 2 * HOUR_NS)
    assert {each.ask.request_id for each in found} == {each.ask.request_id for each in many}


async def test_there_is_room_at_first(store: Store) -> None:
    store.reservations.check_room()


async def test_waiting_for_what_was_settled_is_nothing(store: Store) -> None:
    reservation = a_reservation()
    store.reservations.hold(reservation)
    await store.settle(reservation)

    async with asyncio.timeout(5):
        await store.reservations.held(reservation)
