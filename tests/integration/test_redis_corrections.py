"""What corrections of the ledger change is counted on the server, once, whoever tells of it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.history import PostgresHistory
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.adapters.postgres.limits import PostgresLimits
from langroute.adapters.postgres.organizations import PostgresOrganizations
from langroute.adapters.postgres.posted_corrections import PostgresPostedCorrections
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.adapters.redis.admission import RedisAdmission
from langroute.adapters.redis.corrections import Corrections
from langroute.adapters.redis.witness import RedisWitness
from langroute.adapters.system.clock import SystemClock
from langroute.application.ledger.verify_ledger import VerifyLedger
from langroute.domain.admission import Ask, Reservation
from langroute.domain.corrections import BookedCall
from langroute.domain.keys import VirtualKey
from langroute.domain.limits import Limit, Limits, Measure, Sliding
from langroute.domain.money import Money
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.usage import TokenUsage
from redis_crowd import an_ask
from samples import entry_of, new_key
from valkey_fixtures import Valkey, a_line

CLOCK = SystemClock()
LONGEST_S = 900.0


@dataclass(slots=True)
class Process:
    """A gateway, and what it needs of one."""

    database: Database
    admission: RedisAdmission
    corrections: Corrections
    reservations: PostgresReservations
    ledger: PostgresLedger
    witness: RedisWitness

    async def call(self, ask: Ask, key: VirtualKey, tokens: int, pico: int) -> BookedCall:
        decision, _ = await self.admission.admit(ask, key.all_limits)
        assert isinstance(decision, Reservation)
        self.reservations.hold(decision)
        usage, cost = TokenUsage(output=tokens), Money(pico)
        self.admission.settle(decision, usage, cost)
        entry = entry_of(ask, usage, cost)
        self.ledger.record(entry)
        await self.ledger.flush()
        await self.admission.flush()
        return BookedCall(entry=entry)

    async def correct(self, call: BookedCall, tokens: int, pico: int) -> BookedCall:
        correction = call.corrected(
            usage=TokenUsage(output=tokens),
            cost=Money(pico),
            reason="the bill",
            posted_at_ns=CLOCK.now_ns(),
        )
        assert await PostgresCorrections(self.database).post(correction)
        return call.with_(correction)

    async def used(self, key: VirtualKey, ask: Ask) -> list[int]:
        await self.admission.flush()
        _, standings = await self.admission.foresee(ask, key.all_limits)
        return [standing.used for standing in standings]

    async def verify(self) -> None:
        assert (await VerifyLedger([self.witness])()).differences == []


@asynccontextmanager
async def a_process(database: Database, valkey: Valkey) -> AsyncIterator[Process]:
    async with a_line(valkey.url) as line, PostgresLedger(database) as ledger:
        reservations = PostgresReservations(database)
        ledger.follows(reservations.written)
        reservations.start()
        history = PostgresHistory(database, ledger.at_rest, LONGEST_S)
        booked = PostgresCorrections(database).call
        admission = RedisAdmission(line, CLOCK, history, booked=booked)
        keys = PostgresKeys(database)
        corrections = Corrections(
            line,
            PostgresPostedCorrections(database),
            keys,
            PostgresOrganizations(database),
            admission.now,
        )
        witness = RedisWitness(line, keys, history, CLOCK)
        yield Process(database, admission, corrections, reservations, ledger, witness)
        await reservations.aclose()


def a_key() -> VirtualKey:
    key = new_key(limits=Limits(tokens_per_minute=10**6))
    money = Limit(scope=key.scope, measure=Measure.MONEY, amount=10**20, window=FOR_GOOD)
    return replace(
        key,
        further_limits=(
            money,
            replace(money, window=Period(every=Every.MONTH)),
            replace(money, window=Sliding(seconds=3600), end_user="*"),
            replace(money, measure=Measure.PARALLEL, amount=1000),
        ),
    )


async def a_stored_key(database: Database) -> VirtualKey:
    key = a_key()
    await PostgresKeys(database).put(key)
    stored = await PostgresKeys(database).by_id(key.id)
    assert stored is not None
    assert stored == key
    return stored


def ask_of(key: VirtualKey) -> Ask:
    ask = an_ask(key.id, pico=100, tokens=50)
    return replace(ask, key_id=key.id, team_id=None, organization_id=None, end_user="Zoë")


@pytest.fixture
async def valkey(valkey_to_stop: Valkey) -> Valkey:
    """Positions of one database mean nothing to another."""
    return valkey_to_stop


async def test_a_correction_counts_once_whoever_tells_of_it(
    database: Database, valkey: Valkey
) -> None:
    key = await a_stored_key(database)
    async with a_process(database, valkey) as one, a_process(database, valkey) as other:
        call = await one.call(ask_of(key), key, 30, 10**17 + 1)
        assert await other.used(key, ask_of(key)) == [30, *[10**17 + 1] * 3, 0]
        call = await one.correct(call, 35, 10**17 + 501)
        call = await one.correct(call, 20, 7)
        await asyncio.gather(*(each.corrections.tell() for each in (one, other, one, other)))
        assert await other.used(key, ask_of(key)) == [20, *[7] * 3, 0]
        await one.verify()
        call = await one.correct(call, 21, 8)
        for each in (other, one, other):
            each.corrections.start()
            await each.corrections.tell()
        assert await other.used(key, ask_of(key)) == [21, *[8] * 3, 0]
        await one.verify()
        for each in (one, other):
            await each.corrections.aclose()


async def test_one_that_was_posted_before_its_limit_was_known_is_not_counted_again(
    database: Database, valkey: Valkey
) -> None:
    key = await a_stored_key(database)
    async with a_process(database, valkey) as process:
        bare = replace(key, limits=Limits(), further_limits=())
        call = await process.call(ask_of(key), bare, 30, 1000)
        await process.correct(call, 40, 2000)
        assert await process.used(key, ask_of(key)) == [40, *[2000] * 3, 0]
        await process.corrections.tell()
        assert await process.used(key, ask_of(key)) == [40, *[2000] * 3, 0]
        await process.verify()


async def test_corrections_that_fall_between_reading_and_seeding_are_not_lost(
    database: Database, valkey: Valkey
) -> None:
    key = await a_stored_key(database)
    async with a_process(database, valkey) as process, a_process(database, valkey) as other:
        bare = replace(key, limits=Limits(), further_limits=())
        calls = [await process.call(ask_of(key), bare, 1, 1000) for _ in range(5)]

        async def correct() -> None:
            for call in calls:
                await other.correct(call, 2, 3000)
                await other.corrections.tell()

        async def look() -> None:
            for _ in range(10):
                await process.used(key, ask_of(key))

        await asyncio.gather(correct(), look())
        await process.corrections.tell()
        assert await process.used(key, ask_of(key)) == [10, *[15_000] * 3, 0]
        await process.verify()


async def test_a_limit_that_was_lifted_and_is_set_again_has_missed_nothing(
    database: Database, valkey: Valkey
) -> None:
    key = new_key(limits=Limits())
    keys, limits = PostgresKeys(database), PostgresLimits(database)
    await keys.put(key)
    budget = Limit(scope=key.scope, measure=Measure.MONEY, amount=10**15, window=FOR_GOOD)
    async with a_process(database, valkey) as process:

        async def present() -> VirtualKey:
            found = await keys.by_id(key.id)
            assert found is not None
            return found

        await limits.set(budget)
        await process.call(ask_of(key), await present(), 1, 40)
        assert await process.used(await present(), ask_of(key)) == [40]
        await limits.lift(key.scope, budget.id)
        await process.call(ask_of(key), await present(), 1, 2)
        await limits.set(replace(budget, amount=10**14))
        assert await process.used(await present(), ask_of(key)) == [42]
        # Another amount alone is the same limit.
        await limits.set(budget)
        assert await process.used(await present(), ask_of(key)) == [42]
        await process.verify()
        async with valkey.client() as client:
            names = [name async for name in client.scan_iter("langroute:{*")]
            assert len(names) >= 4
            assert [name for name in names if await client.ttl(name) < 0] == []


async def test_what_a_killed_process_had_written_is_what_a_lost_call_comes_to(
    database: Database, valkey: Valkey
) -> None:
    """Its reservation is on the server still, and its entry in the ledger."""
    key = await a_stored_key(database)
    async with a_process(database, valkey) as killed, a_process(database, valkey) as other:
        ask = replace(ask_of(key), lease_until_ns=CLOCK.now_ns() + 10**9)
        decision, _ = await killed.admission.admit(ask, key.all_limits)
        assert isinstance(decision, Reservation)
        killed.ledger.record(entry_of(ask, TokenUsage(output=3), Money(5)))
        await killed.ledger.flush()
        call = BookedCall(entry=entry_of(ask, TokenUsage(output=3), Money(5)))
        await killed.correct(call, 4, 6)
        await other.corrections.tell()
        async with asyncio.timeout(20):
            while True:
                # Whoever admits a call of the tenant finds those that are lost.
                await other.used(key, ask_of(key))
                assert await other.admission.expired() == []
                if await other.used(key, ask_of(key)) == [4, *[6] * 3, 0]:
                    break
                await asyncio.sleep(0.05)
