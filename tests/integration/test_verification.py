"""`langroute verify` says exactly what is wrong, and nothing of what is right."""

import asyncio
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.evidence import PostgresWitness
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.adapters.system.clock import SystemClock
from langroute.application.ledger.verify_ledger import VerifyLedger
from langroute.domain.admission import Ask, Reservation
from langroute.domain.corrections import BookedCall
from langroute.domain.ids import RequestId
from langroute.domain.keys import VirtualKey
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.limits import Limit, Limits, Measure, Sliding
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.usage import TokenUsage
from langroute.domain.verification import Difference
from postgres_fixtures import Databases, type_in
from samples import ENTROPY, new_entry, new_key

S = 10**9


@dataclass(frozen=True, slots=True)
class Books:
    """A database with some calls of a key, all in order."""

    database: Database
    key: VirtualKey
    entries: list[LedgerEntry]

    async def verdict(self) -> list[Difference]:
        verify = VerifyLedger([PostgresWitness(self.database, 900.0)])
        return list((await verify()).differences)

    async def tamper(self, *statements: str) -> None:
        await type_in(self.database, "set session_replication_role = replica", *statements)


def an_entry(key: VirtualKey, at_ns: int) -> LedgerEntry:
    return new_entry(key_id=key.id, at_ns=at_ns, cost=Money(10**12), tag="web")


def held_by(entry: LedgerEntry, lease_ns: int = 60 * S) -> Reservation:
    return Reservation(
        ask=Ask(
            request_id=entry.request_id,
            key_id=entry.key_id,
            model=entry.model,
            tag=entry.tag,
            streamed=False,
            at_ns=entry.at_ns,
            lease_until_ns=entry.at_ns + lease_ns,
            input_bound=1000,
            output_bound=1000,
        )
    )


@pytest.fixture
async def books(databases: Databases) -> AsyncIterator[Books]:
    async with databases.migrated() as database, PostgresLedger(database) as ledger:
        reservations = PostgresReservations(database)
        reservations.start()
        key = new_key()
        await PostgresKeys(database).put(key)
        old_ns = SystemClock().now_ns() - 3600 * S
        entries = [an_entry(key, old_ns + number * S) for number in range(5)]
        for entry in entries:
            reservations.hold(held_by(entry))
        await reservations.flush()
        for entry in entries:
            ledger.record(entry)
        await ledger.flush()
        call = BookedCall(entry=entries[0])
        for tokens in (10, 20):
            correction = call.corrected(
                usage=TokenUsage(output=tokens),
                cost=Money(tokens),
                priced=False,
                reason="the bill",
                posted_at_ns=old_ns + 60 * S,
            )
            assert await PostgresCorrections(database).post(correction)
            call = call.with_(correction)
        yield Books(database, key, entries)
        await reservations.aclose()


async def test_nothing_is_wrong_with_what_the_gateway_wrote(books: Books) -> None:
    assert await books.verdict() == []


async def test_a_total_that_is_not_the_ledgers_is_told(books: Books) -> None:
    await books.tamper(
        "update langroute.virtual_keys set total_cost = total_cost + 0.5, total_calls = 6"
    )
    cost, calls = sorted(await books.verdict(), key=lambda d: d.what, reverse=True)
    assert (cost.kind, cost.which, cost.what) == ("key", str(books.key.id), "cost")
    assert (cost.expected, cost.found) == ("$4.00000000002", "$4.50000000002")
    assert (calls.what, calls.expected, calls.found) == ("calls", "5", "6")


async def test_a_day_that_does_not_add_up_is_told(books: Books) -> None:
    await books.tamper("update langroute.rollups set prompt_tokens = prompt_tokens - 1")
    (found,) = await books.verdict()
    assert (found.kind, found.what) == ("sum of a day", "prompt_tokens")
    assert int(found.expected) == int(found.found) + 1
    assert f"key {books.key.id}" in found.which
    assert "tag web" in found.which


async def test_an_entry_that_is_gone_is_missed_everywhere(books: Books) -> None:
    lost = books.entries[2]
    await books.tamper(
        f"delete from langroute.ledger where request_id = '{lost.request_id}'",
        "update langroute.reservations set lease_until = at + interval '1 minute'",
    )
    found = await books.verdict()
    assert {d.kind for d in found} == {"key", "sum of a day", "reservation"}
    (alone,) = [d for d in found if d.kind == "reservation"]
    assert lost.request_id.hex in alone.which


async def test_an_entry_without_a_reservation_is_told(books: Books) -> None:
    spent = books.entries[3]
    await books.tamper(
        f"delete from langroute.reservations where request_id = '{spent.request_id}'"
    )
    (found,) = await books.verdict()
    assert found.kind == "entry"
    assert spent.request_id.hex in found.which


async def test_a_correction_of_nothing_is_told(books: Books) -> None:
    await books.tamper(
        "update langroute.ledger set number = 7 where number = 2",
    )
    (found,) = await books.verdict()
    assert found.kind == "correction"
    assert books.entries[0].request_id.hex in found.which


async def test_months_that_were_dropped_are_not_missed(books: Books) -> None:
    """Their sums by day stay, and are part of each key's totals."""
    await books.tamper(
        "update langroute.rollups set day = day - 400",
        "update langroute.ledger set at = at - interval '400 days'",
        "update langroute.reservations set at = at - interval '400 days'",
    )
    assert await books.verdict() == []
    await books.tamper("truncate langroute.ledger", "truncate langroute.reservations")
    assert await books.verdict() == []
    fresh = an_entry(books.key, SystemClock().now_ns())
    async with PostgresLedger(books.database) as ledger:
        ledger.record(fresh)
        await ledger.flush()
    assert await books.verdict() == []


LONGEST_S = 900.0


def further_limits(key: VirtualKey) -> tuple[Limit, ...]:
    scope = key_scope(key.id)
    return (
        Limit(
            scope=scope,
            measure=Measure.MONEY,
            amount=10**15,
            window=Period(every=Every.DAY, zone="Asia/Kathmandu"),
        ),
        Limit(scope=scope, measure=Measure.MONEY, amount=10**15, window=Sliding(seconds=7)),
        Limit(scope=scope, measure=Measure.PARALLEL, amount=10**6, window=FOR_GOOD),
        Limit(scope=scope, measure=Measure.TOKENS, amount=10**9, end_user="*", window=FOR_GOOD),
        Limit(scope=scope, measure=Measure.TOKENS, amount=10**9, tag="*"),
    )


@dataclass(slots=True)
class Busy:
    """A gateway that shares its counters, and calls that come and go."""

    database: Database
    admission: PostgresAdmission
    ledger: PostgresLedger
    key: VirtualKey
    dice: random.Random

    async def calls(self, count: int) -> None:
        for _ in range(count):
            held = await self._admitted()
            await asyncio.sleep(self.dice.random() / 100)
            if self.dice.random() < 0.9:
                self._settle(held)

    async def _admitted(self) -> Reservation:
        clock = SystemClock()
        ask = Ask(
            request_id=RequestId(ENTROPY.uuid()),
            key_id=self.key.id,
            end_user=self.dice.choice(["ann", "böb", "x" * 900]),
            tag=self.dice.choice([None, "web", "50%"]),
            model="m",
            streamed=False,
            at_ns=clock.now_ns(),
            lease_until_ns=clock.now_ns() + 600 * S,
            input_bound=self.dice.randrange(100),
            output_bound=self.dice.randrange(100),
            cost_bound=Money(self.dice.randrange(10**9)),
        )
        decision, _ = await self.admission.admit(ask, self.key.all_limits)
        assert isinstance(decision, Reservation)
        return decision

    def _settle(self, held: Reservation) -> None:
        """Above what was reserved, too."""
        ask = held.ask
        usage = TokenUsage(output=self.dice.randrange(300))
        cost = Money(self.dice.randrange(2 * 10**9))
        assert self.admission.settle(held, usage, cost) is not None
        self.ledger.record(
            LedgerEntry(
                request_id=ask.request_id,
                key_id=ask.key_id,
                end_user=ask.end_user,
                tag=ask.tag,
                at_ns=ask.at_ns,
                duration_ns=max(0, SystemClock().now_ns() - ask.at_ns),
                model=ask.model,
                outcome=Outcome.SUCCEEDED,
                attempts=1,
                streamed=False,
                usage=usage,
                cost=cost,
            )
        )

    async def verdict(self) -> list[Difference]:
        verify = VerifyLedger([PostgresWitness(self.database, LONGEST_S, limits_at_once=2)])
        verdict = await verify()
        assert verdict.looked_at["counters"]
        return list(verdict.differences)

    async def tamper(self, which: Limit, change: str) -> list[Difference]:
        before = f"update langroute.counters set {change} where limit_id = '{which.id}'"
        await type_in(self.database, before)
        return await self.verdict()


@pytest.fixture
async def busy(databases: Databases) -> AsyncIterator[Busy]:
    key = new_key()
    wide = Limits(requests_per_minute=10**6, tokens_per_minute=10**9)
    key = new_key(id=key.id, limits=wide, further_limits=further_limits(key))
    async with databases.migrated() as database, PostgresLedger(database) as ledger:
        await PostgresKeys(database).put(key)
        admission = PostgresAdmission(database, SystemClock(), longest_call_s=LONGEST_S)
        yield Busy(database, admission, ledger, key, random.Random(7))  # noqa: S311
        await admission.aclose()


async def test_nothing_is_wrong_while_calls_come_and_go(busy: Busy) -> None:
    await busy.calls(3)
    calls = asyncio.gather(*(busy.calls(25) for _ in range(6)))
    looks = 0
    while not calls.done():
        assert await busy.verdict() == []
        looks += 1
    await calls
    assert looks >= 2
    await busy.ledger.flush()
    assert await busy.verdict() == []


async def test_each_counter_that_is_wrong_is_told(busy: Busy) -> None:
    await busy.calls(40)
    await busy.ledger.flush()
    daily, sliding, parallel, by_user, _ = busy.key.further_limits
    (requests, _) = busy.key.limits.of(key_scope(busy.key.id))

    (spent,) = await busy.tamper(daily, "spent = spent + 1")
    assert (spent.kind, spent.what) == ("counter", "spent")
    assert spent.which.startswith(f"{daily.id} (money a day of the key, key {busy.key.id}")
    assert await busy.tamper(daily, "spent = spent - 1") == []

    (reserved,) = await busy.tamper(parallel, "reserved = reserved - 1")
    assert (reserved.what, int(reserved.expected)) == ("reserved", int(reserved.found) + 1)
    assert await busy.tamper(parallel, "reserved = reserved + 1") == []

    (total,) = await busy.tamper(requests, "total = total - 1")
    assert (total.what, total.expected, total.found) == ("total", "40", "39")
    (slot,) = await busy.tamper(
        requests,
        "total = total + 2, amounts[cardinality(amounts)] = amounts[cardinality(amounts)] + 1",
    )
    assert slot.what.startswith("slot ")
    await busy.tamper(requests, "amounts[cardinality(amounts)] = 1000, total = 1000")

    found = await busy.tamper(by_user, "spent = 0")
    told = {d.which.split("'")[1] for d in found if d.what == "spent"}
    assert len(told) == 3
    assert {"ann", "b%C3%B6b"} < told
    assert sliding.id != by_user.id
