"""What happens to reservations while Postgres is away, and how calls wait for them."""

import asyncio
import time
from uuid import UUID

import pytest

from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.adapters.postgres.times import to_ns
from langroute.domain.errors import LedgerFull, StoreUnavailable
from postgres_fixtures import Databases, Server, type_in
from samples import CLOCK, a_reservation, new_entry

S = 10**9
HOUR_NS = 3600 * S


async def _count(database: Database) -> int:
    connection = await database.connect()
    try:
        return int(await connection.fetchval("select count(*) from langroute.reservations"))
    finally:
        await connection.close()


async def test_what_is_held_is_written_when_that_returns(database: Database) -> None:
    reservations = PostgresReservations(database)
    reservations.start()
    for number in range(1, 6):
        reservation = a_reservation()
        reservations.hold(reservation)
        await reservations.held(reservation)
        assert await _count(database) == number
    await reservations.aclose()


async def test_closing_writes_what_is_left(database: Database) -> None:
    reservations = PostgresReservations(database)
    reservations.start()
    for _ in range(500):
        reservations.hold(a_reservation())

    await reservations.aclose()

    assert await _count(database) == 500


async def test_calls_go_on_while_postgres_is_away_and_are_written_once_it_is_back(
    server: Server,
) -> None:
    async with server.databases.migrated() as database:
        reservations = PostgresReservations(
            database, local=True, now_ns=lambda: CLOCK.now_ns() + 2 * HOUR_NS
        )
        reservations.start()
        await server.stop()
        held = [a_reservation() for _ in range(300)]
        began = time.monotonic()
        for reservation in held:
            reservations.hold(reservation)
            await reservations.held(reservation)
        assert time.monotonic() - began < 10  # not each of them waits
        assert len(reservations) == 300
        reservations.check_room()

        async with server.running():
            async with asyncio.timeout(20):
                await reservations.flush()
            assert await _count(database) == 300
            found = await reservations.expired()
            assert len(found) == 300
        await reservations.aclose()


async def test_calls_are_refused_while_postgres_is_away_where_that_is_wanted(
    server: Server,
) -> None:
    async with server.databases.migrated() as database:
        reservations = PostgresReservations(database, local=False, patience_s=0.5)
        reservations.start()
        await server.stop()
        first = a_reservation()
        reservations.check_room()
        reservations.hold(first)

        with pytest.raises(StoreUnavailable):
            await reservations.held(first)
        with pytest.raises(StoreUnavailable):
            reservations.check_room()

        async with server.running(), asyncio.timeout(20):
            await reservations.flush()
            await reservations.held(first)
            reservations.check_room()
        await reservations.aclose()


async def test_nobody_waits_longer_for_a_server_that_does_not_answer(database: Database) -> None:
    """It is there, but somebody holds the table."""
    reservations = PostgresReservations(database, local=True, patience_s=1)
    reservations.start()
    connection = await database.connect()
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("lock table langroute.reservations in access exclusive mode")
    first, second = a_reservation(), a_reservation()

    began = time.monotonic()
    reservations.hold(first)
    await reservations.held(first)
    assert 0.9 < time.monotonic() - began < 10
    began = time.monotonic()
    reservations.hold(second)
    await reservations.held(second)
    assert time.monotonic() - began < 0.9

    await transaction.rollback()
    await connection.close()
    async with asyncio.timeout(20):
        await reservations.flush()
    assert await _count(database) == 2
    await reservations.aclose()


async def test_no_entry_is_there_before_its_reservation(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """A process that is killed in between leaves no entry that stands alone."""
    reservations = PostgresReservations(database, local=True, patience_s=0.2)
    ledger = PostgresLedger(database)
    ledger.follows(reservations.written)
    reservations.start()
    ledger.start()
    connection = await database.connect()
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute("lock table langroute.reservations in access exclusive mode")
    call = a_reservation()
    entry = new_entry(request_id=call.ask.request_id, key_id=call.ask.key_id, at_ns=call.ask.at_ns)

    reservations.hold(call)
    ledger.record(entry)
    async with asyncio.timeout(10):
        while "1 ledger entries wait" not in caplog.text:
            await asyncio.sleep(0.02)
    assert await connection.fetchval("select count(*) from langroute.ledger") == 0

    await transaction.rollback()
    async with asyncio.timeout(20):
        await ledger.flush()
    assert await connection.fetchval("select count(*) from langroute.ledger") == 1
    assert await _count(database) == 1
    await connection.close()
    await ledger.aclose()
    await reservations.aclose()


async def test_there_is_no_room_while_too_much_waits(database: Database) -> None:
    reservations = PostgresReservations(database, capacity=3)  # never started
    for _ in range(3):
        reservations.check_room()
        reservations.hold(a_reservation())

    with pytest.raises(LedgerFull):
        reservations.check_room()


async def test_a_caller_who_hangs_up_while_waiting_takes_nobody_with_it(
    database: Database,
) -> None:
    reservations = PostgresReservations(database)
    both = [a_reservation(), a_reservation()]
    for reservation in both:
        reservations.hold(reservation)
    gone, stays = (asyncio.create_task(reservations.held(each)) for each in both)
    await asyncio.sleep(0)
    gone.cancel()
    reservations.start()

    async with asyncio.timeout(10):
        await stays
    assert gone.cancelled() or (await asyncio.gather(gone, return_exceptions=True))
    await reservations.aclose()
    assert await _count(database) == 2


async def test_a_lease_that_is_written_too_late_gives_its_entry_time(database: Database) -> None:
    now_ns = CLOCK.now_ns()
    late = a_reservation(lease_until_ns=now_ns - HOUR_NS)
    times = iter([now_ns, now_ns + HOUR_NS])
    reservations = PostgresReservations(database, now_ns=lambda: next(times))
    reservations.start()
    reservations.hold(late)
    await reservations.held(late)

    assert await reservations.expired() == []
    (found,) = await reservations.expired()
    assert found.ask.request_id == late.ask.request_id
    await reservations.aclose()


async def test_a_lease_runs_out_by_the_clock_of_postgres(database: Database) -> None:
    """One whose gateway's clock is an hour behind lasts as long as any other."""
    now_ns = CLOCK.now_ns()
    behind = a_reservation(at_ns=now_ns - HOUR_NS, lease_until_ns=now_ns - HOUR_NS + 700 * S)
    present = a_reservation(at_ns=now_ns, lease_until_ns=now_ns + 700 * S)
    reservations = PostgresReservations(database)
    reservations.start()
    for each in (behind, present):
        reservations.hold(each)
    await reservations.flush()
    assert await reservations.expired() == []

    leases = await _leases(database)
    assert leases[present.ask.request_id] == present.ask.lease_until_ns // 1000 * 1000
    assert abs(leases[behind.ask.request_id] - present.ask.lease_until_ns) < 10 * S
    await reservations.aclose()


async def test_sweeps_look_no_further_back_than_they_must(database: Database) -> None:
    """And find what they have not settled."""
    far_ns = CLOCK.now_ns() + 2 * HOUR_NS
    reservations = PostgresReservations(database, now_ns=lambda: far_ns)
    reservations.start()
    left = a_reservation()
    reservations.hold(left)
    await reservations.flush()

    for _ in range(2):
        assert len(await reservations.expired()) == 1
    await _settle(database)
    assert await reservations.expired() == []

    connection = await database.connect()
    until = await connection.fetchval("select until from langroute.sweeps")
    behind = await connection.fetchval(
        "select now() - until between interval '59 s' and interval '90 s' from langroute.sweeps"
    )
    await connection.close()
    assert behind, until
    await reservations.aclose()


async def test_several_gateways_hold_at_once(databases: Databases) -> None:
    async with databases.url() as url:
        nodes = [Database(url) for _ in range(3)]
        stores = [PostgresReservations(node) for node in nodes]
        shared = [a_reservation() for _ in range(300)]
        for store in stores:
            store.start()
            for reservation in shared:
                store.hold(reservation)

        await asyncio.gather(*(store.flush() for store in stores))

        assert await _count(nodes[0]) == 300
        for store, node in zip(stores, nodes, strict=True):
            await store.aclose()
            await node.aclose()


@pytest.mark.parametrize(
    "statement",
    [
        "update langroute.reservations set claims = '[]'",
        "delete from langroute.reservations",
        "truncate langroute.reservations",
    ],
)
async def test_reservations_stay_as_they_are(database: Database, statement: str) -> None:
    with pytest.raises(Exception, match="only ever added to"):
        await type_in(database, statement)


async def _leases(database: Database) -> dict[UUID, int]:
    connection = await database.connect()
    try:
        rows = await connection.fetch("select request_id, lease_until from langroute.reservations")
        return {row["request_id"]: to_ns(row["lease_until"]) for row in rows}
    finally:
        await connection.close()


async def _settle(database: Database) -> None:
    await type_in(
        database,
        """
        insert into langroute.ledger (
            at, request_id, key_id, duration_ns, model, outcome, attempts, streamed
        )
        select at, request_id, key_id, 1, model, 'succeeded', 1, streamed
        from langroute.reservations
        """,
    )
