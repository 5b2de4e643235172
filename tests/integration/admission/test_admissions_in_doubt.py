"""Connections that are cut, callers that hang up, a Postgres that does not answer: nothing is lost,
and nothing is held for good."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from admitting import CLOCK, ENTROPY, PRICE, a_call
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.ledger_rows import write
from langroute.domain.admission import Reservation
from langroute.domain.errors import StoreUnavailable
from langroute.domain.ids import KeyId
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import ZERO
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD
from langroute.domain.usage import NO_USAGE
from postgres_fixtures import type_in
from samples import entry_of

_CUT = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query like '%langroute.admit(%'
    and pid <> pg_backend_pid()
"""
_WAITING = """
    select count(*) from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'
"""


def limits_of(key: KeyId) -> list[Limit]:
    scope = key_scope(key)
    return [
        Limit(scope=scope, measure=Measure.TOKENS, amount=10**6),
        Limit(scope=scope, measure=Measure.MONEY, amount=10**30, window=FOR_GOOD),
        Limit(scope=scope, measure=Measure.PARALLEL, amount=10**6, window=FOR_GOOD),
    ]


@asynccontextmanager
async def an_admission(
    database: Database, within_s: float = 20
) -> AsyncIterator[PostgresAdmission]:
    admission = PostgresAdmission(database, CLOCK, within_s=within_s)
    try:
        yield admission
    finally:
        await admission.aclose()


async def used(admission: PostgresAdmission, key: KeyId) -> list[int]:
    _, standings = await admission.foresee(a_call(key), limits_of(key))
    return [standing.used for standing in standings]


async def release(admission: PostgresAdmission, database: Database) -> int:
    """What the gateway does with calls that expire. How many there were."""
    expired = await admission.expired()
    assert all(each.ask.tokens == 0 and each.ask.cost_bound == ZERO for each in expired)
    for each in expired:
        assert admission.settle(each, NO_USAGE, ZERO) is not None
        async with database.transaction() as connection:
            await write(connection, [entry_of(each.ask, NO_USAGE, ZERO)])
    return len(expired)


@asynccontextmanager
async def locked(database: Database) -> AsyncIterator[None]:
    """An operator has begun something in psql and has gone to lunch."""
    connection = await database.connect()
    try:
        async with connection.transaction():
            await connection.execute("select * from langroute.counters for update")
            yield
    finally:
        await connection.close()


async def until_somebody_waits(database: Database) -> None:
    connection = await database.connect()
    try:
        async with asyncio.timeout(20):
            while not await connection.fetchval(_WAITING):
                await asyncio.sleep(0.01)
    finally:
        await connection.close()


async def test_connections_that_are_cut_lose_nothing(database: Database) -> None:
    key = KeyId(ENTROPY.uuid())
    admitted: list[Reservation] = []

    async def call(admission: PostgresAdmission) -> None:
        while len(admitted) < 200:
            try:
                decision, _ = await admission.admit(a_call(key), limits_of(key))
            except StoreUnavailable:
                await asyncio.sleep(0.1)
                continue
            assert isinstance(decision, Reservation)
            admitted.append(decision)

    async with an_admission(database) as admission:
        await admission.admit(a_call(key), limits_of(key))
        calling = asyncio.gather(*(call(admission) for _ in range(5)))
        for cuts in range(1, 11):
            async with asyncio.timeout(20):
                while len(admitted) < 15 * cuts:
                    await asyncio.sleep(0)
            await type_in(database, _CUT)
        await calling
        await release(admission, database)
        # The first call, and those of which we know.
        held = 1 + len(admitted)
        assert await used(admission, key) == [7 * held, PRICE * held, held]


async def test_a_call_that_was_admitted_before_it_was_asked_again_is_admitted_once(
    database: Database,
) -> None:
    key = KeyId(ENTROPY.uuid())
    ask = a_call(key)
    async with an_admission(database) as admission, an_admission(database) as again:
        first, _ = await admission.admit(ask, limits_of(key))
        second, standings = await again.admit(ask, limits_of(key))

        assert second == first
        assert [each.used for each in standings] == [7, PRICE, 1]
        assert await release(again, database) == 0
        assert isinstance(second, Reservation)
        assert again.settle(second, NO_USAGE, ZERO) is not None


async def test_a_caller_who_hangs_up_while_he_waits_holds_nothing(database: Database) -> None:
    key = KeyId(ENTROPY.uuid())
    async with an_admission(database) as admission:
        await admission.admit(a_call(key), limits_of(key))
        async with locked(database):
            waiting = asyncio.create_task(admission.admit(a_call(key), limits_of(key)))
            await until_somebody_waits(database)
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        async with asyncio.timeout(20):
            # Postgres goes on with it, and nobody hears of that; or it has heard of the hang-up.
            while await _running(database):
                await asyncio.sleep(0.01)
        await release(admission, database)
        assert await used(admission, key) == [7, PRICE, 1]


async def test_nobody_waits_longer_than_is_allowed(database: Database) -> None:
    key, other = KeyId(ENTROPY.uuid()), KeyId(ENTROPY.uuid())
    async with an_admission(database, within_s=1) as admission:
        await admission.admit(a_call(key), limits_of(key))
        async with locked(database):
            began_ns = CLOCK.monotonic_ns()
            with pytest.raises(StoreUnavailable):
                await admission.admit(a_call(key), limits_of(key))
            assert CLOCK.monotonic_ns() - began_ns < 5 * 10**9
            # Whoever needs none of these counters is not held up.
            decision, _ = await admission.admit(a_call(other), limits_of(other))
            assert isinstance(decision, Reservation)
        assert await used(admission, key) == [7, PRICE, 1]
        assert await release(admission, database) == 0


async def _running(database: Database) -> bool:
    connection = await database.connect()
    try:
        return bool(
            await connection.fetchval(
                "select count(*) from pg_stat_activity where datname = current_database() "
                "and state = 'active' and query like '%langroute.admit(%' "
                "and pid <> pg_backend_pid()"
            )
        )
    finally:
        await connection.close()
