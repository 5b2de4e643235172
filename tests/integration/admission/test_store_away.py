"""What becomes of limits while Postgres is away."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from admitting import CLOCK, ENTROPY, PRICE, a_call
from langroute.adapters.memory.stand_in import StandIn
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.reservations_found import found
from langroute.domain.admission import Reservation
from langroute.domain.errors import StoreUnavailable
from langroute.domain.ids import KeyId
from langroute.domain.limits import Limit, Measure, Refusal
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD
from langroute.domain.usage import TokenUsage
from postgres_fixtures import Server
from samples import entry_of

USAGE, COST = TokenUsage(output=2), Money(10)


def limits_of(key: KeyId) -> list[Limit]:
    scope = key_scope(key)
    return [
        Limit(scope=scope, measure=Measure.REQUESTS, amount=8),
        Limit(scope=scope, measure=Measure.TOKENS, amount=1_000),
        Limit(scope=scope, measure=Measure.MONEY, amount=10**30, window=FOR_GOOD),
        Limit(scope=scope, measure=Measure.PARALLEL, amount=100, window=FOR_GOOD),
    ]


@asynccontextmanager
async def an_admission(database: Database, within_s: float = 1) -> AsyncIterator[PostgresAdmission]:
    admission = PostgresAdmission(database, CLOCK, within_s=within_s, longest_call_s=900)
    try:
        yield admission
    finally:
        await admission.aclose()


@asynccontextmanager
async def a_stand_in(store: PostgresAdmission, sharers: int) -> AsyncIterator[StandIn]:
    stand_in = StandIn(store, CLOCK, sharers)
    try:
        yield stand_in
    finally:
        await stand_in.aclose()


async def admitted(admission: StandIn | PostgresAdmission, key: KeyId) -> Reservation:
    decision, _ = await admission.admit(a_call(key), limits_of(key))
    assert isinstance(decision, Reservation)
    return decision


async def used(admission: StandIn | PostgresAdmission, key: KeyId) -> list[int]:
    _, standings = await admission.foresee(a_call(key), limits_of(key))
    assert [standing.limit for standing in standings] == limits_of(key)
    return [standing.used for standing in standings]


async def until_it_says(stand_in: StandIn, key: KeyId, expected: list[int]) -> None:
    async with asyncio.timeout(30):
        while True:
            _, standings = await stand_in.foresee(a_call(key), limits_of(key))
            if [standing.used for standing in standings] == expected:
                assert [standing.limit for standing in standings] == limits_of(key)
                return
            await asyncio.sleep(0.05)


async def test_who_may_not_go_on_is_refused_at_once_until_postgres_is_back(server: Server) -> None:
    key = KeyId(ENTROPY.uuid())
    async with server.databases.migrated() as database, an_admission(database) as admission:
        await admitted(admission, key)
        await server.stop()
        began_ns = CLOCK.monotonic_ns()
        for _ in range(20):
            with pytest.raises(StoreUnavailable):
                await admission.admit(a_call(key), limits_of(key))
        assert CLOCK.monotonic_ns() - began_ns < 5 * 10**9
        async with server.running(), asyncio.timeout(30):
            while True:
                try:
                    assert await used(admission, key) == [1, 7, PRICE, 1]
                    break
                except StoreUnavailable:
                    await asyncio.sleep(0.05)


@pytest.mark.parametrize("first", ["the ledger", "the limits"])
async def test_a_share_is_admitted_meanwhile_and_counted_afterwards(
    server: Server, first: str
) -> None:
    key = KeyId(ENTROPY.uuid())
    async with (
        server.databases.migrated() as database,
        an_admission(database) as store,
        a_stand_in(store, 4) as stand_in,
    ):
        before = await admitted(stand_in, key)
        await server.stop()
        over, _ = [await admitted(stand_in, key) for _ in range(2)]
        refusal, _ = await stand_in.admit(a_call(key), limits_of(key))
        assert isinstance(refusal, Refusal)
        assert (refusal.limit.amount, refusal.used) == (2, 2)
        ledger = PostgresLedger(database)
        for each in (over, before):
            assert stand_in.settle(each, USAGE, COST) is not None
            assert stand_in.settle(each, USAGE, COST) is None
            ledger.record(entry_of(each.ask, USAGE, COST))
        async with server.running():
            if first == "the ledger":
                ledger.start()
                await ledger.flush()
            held = [3, 2 * 7 + 7, 2 * PRICE + PRICE, 2 + 1]
            if first == "the limits":
                await until_it_says(stand_in, key, held)
                ledger.start()
                await ledger.flush()
            await until_it_says(stand_in, key, [3, 2 + 2 + 7, 10 + 10 + PRICE, 1])
            await ledger.aclose()


async def test_what_was_used_meanwhile_is_written_once_it_is_counted(server: Server) -> None:
    """So a process that is killed in between forgives nothing that it has written."""
    key = KeyId(ENTROPY.uuid())
    async with (
        server.databases.migrated() as database,
        an_admission(database) as store,
        a_stand_in(store, 1) as stand_in,
    ):
        await server.stop()
        call = await admitted(stand_in, key)
        stand_in.settle(call, USAGE, COST)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await stand_in.counted()
        async with server.running(), asyncio.timeout(30):
            while True:
                try:
                    await stand_in.counted()
                    break
                except TimeoutError:
                    await asyncio.sleep(0.05)
            async with database.reading() as connection:
                (kept,) = await found(connection, [call.ask])
            assert kept.ask.request_id == call.ask.request_id
            ledger = PostgresLedger(database)
            ledger.follows(stand_in.counted)
            ledger.start()
            ledger.record(entry_of(call.ask, USAGE, COST))
            await ledger.flush()
            await until_it_says(stand_in, key, [1, 2, 10, 0])
            await ledger.aclose()


async def test_a_closed_stand_in_holds_up_nothing(server: Server) -> None:
    key = KeyId(ENTROPY.uuid())
    async with server.databases.migrated() as database, an_admission(database) as store:
        stand_in = StandIn(store, CLOCK, 1)
        await server.stop()
        stand_in.settle(await admitted(stand_in, key), USAGE, COST)
        await stand_in.aclose()
        async with asyncio.timeout(20):
            await stand_in.counted()
        async with server.running():
            pass


async def test_a_call_that_outlives_the_outage_settles_like_any_other(server: Server) -> None:
    key = KeyId(ENTROPY.uuid())
    async with (
        server.databases.migrated() as database,
        an_admission(database) as store,
        a_stand_in(store, 1) as stand_in,
        PostgresLedger(database) as ledger,
    ):
        await server.stop()
        long = await admitted(stand_in, key)
        async with server.running():
            await until_it_says(stand_in, key, [1, 7, PRICE, 1])
            assert stand_in.settle(long, USAGE, COST) is not None
            assert stand_in.settle(long, USAGE, COST) is None
            ledger.record(entry_of(long.ask, USAGE, COST))
            await ledger.flush()
            await until_it_says(stand_in, key, [1, 2, 10, 0])


async def test_at_least_one_of_what_is_allowed_and_nothing_of_what_is_not() -> None:
    scope = key_scope(KeyId(ENTROPY.uuid()))
    one = Limit(scope=scope, measure=Measure.REQUESTS, amount=1)
    none = Limit(scope=scope, measure=Measure.TOKENS, amount=0)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        database = Database(f"postgresql://u:p@127.0.0.1:{nobody.getsockname()[1]}/d")
        async with an_admission(database) as store, a_stand_in(store, 4) as stand_in:
            refusal, _ = await stand_in.admit(a_call(scope.id), [one, none])
            assert isinstance(refusal, Refusal)
            assert refusal.limit == none
            allowed, _ = await stand_in.admit(a_call(scope.id), [one])
            assert isinstance(allowed, Reservation)
            refusal, _ = await stand_in.admit(a_call(scope.id), [one])
            assert isinstance(refusal, Refusal)
        await database.aclose()
