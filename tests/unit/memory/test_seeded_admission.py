"""A limit that is met for the first time has counted what was before, each call once."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clocks import SteppedClock
from langroute.adapters.memory.admission import MemoryAdmission
from langroute.adapters.postgres.batches import Batches
from langroute.application.ledger.verify_ledger import VerifyLedger
from langroute.application.ports.history import History, Past
from langroute.domain.admission import Ask, Reservation
from langroute.domain.errors import StoreUnavailable
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit, Measure, Refusal
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.rebuild import tallies
from langroute.domain.usage import TokenUsage
from samples import entry_of

S = 10**9
START_NS = 1_800_000_000 * S
KEY = KeyId(uuid4())
REQUESTS = Limit(scope=key_scope(KEY), measure=Measure.REQUESTS, amount=10**6)
BUDGET = Limit(scope=key_scope(KEY), measure=Measure.MONEY, amount=10**6, window=FOR_GOOD)
TOKENS = Limit(scope=key_scope(KEY), measure=Measure.TOKENS, amount=10**6)
PARALLEL = Limit(scope=key_scope(KEY), measure=Measure.PARALLEL, amount=10**6, window=FOR_GOOD)
NEW = (BUDGET, TOKENS, PARALLEL)


@dataclass(slots=True)
class Disk:
    """What outlives a process: what is written of calls, and how long reading and writing take, in
    steps of the event loop."""

    before: int = 0
    after: int = 0
    writing: int = 0
    away: bool = False
    reads: int = 0
    written: list[LedgerEntry] = field(default_factory=list)
    left_open: list[Reservation] = field(default_factory=list)

    async def write(self, batch: Sequence[LedgerEntry]) -> None:
        await steps(self.writing)
        self.written.extend(batch)
        await steps(self.writing)


class DiskHistory:
    """As Postgres' is, on a list."""

    def __init__(self, disk: Disk, ledger: Batches[LedgerEntry]) -> None:
        self._disk = disk
        self._ledger = ledger

    @asynccontextmanager
    async def past(
        self, limits: Sequence[Limit], now_ns: int, doubted: Collection[Ask] = ()
    ) -> AsyncIterator[Past]:
        disk = self._disk
        async with self._ledger.at_rest() as waiting:
            await steps(disk.before)
            if disk.away:
                raise StoreUnavailable
            disk.reads += 1
            entries = list(disk.written)
            await steps(disk.after)
            written = {entry.request_id for entry in entries}
            yield Past(
                settled={
                    limit.id: [
                        tally
                        for entry in entries
                        for tally in tallies(limit, entry)
                        if tally.amount
                    ]
                    for limit in limits
                },
                waiting=list(waiting),
                over={ask.request_id for ask in doubted} & written,
            )

    async def open(self, now_ns: int) -> Sequence[Reservation]:
        written = {entry.request_id for entry in self._disk.written}
        return [r for r in self._disk.left_open if r.ask.request_id not in written]


_: type[History] = DiskHistory


async def steps(count: int) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


class Process:
    """On a busy machine a step may take long: only a test about patience runs out of it."""

    def __init__(self, disk: Disk, *, local: bool = False, patience_s: float = 60) -> None:
        self.clock = SteppedClock(START_NS)
        self.disk = disk
        self.ledger = Batches(disk.write, what="entries", gather_s=0)
        history = DiskHistory(disk, self.ledger)
        self.admission = MemoryAdmission(self.clock, history, local=local, patience_s=patience_s)
        self.open: list[Reservation] = []

    def ask(self, amount: int) -> Ask:
        return Ask(
            request_id=RequestId(uuid4()),
            key_id=KEY,
            model="m",
            streamed=False,
            at_ns=self.clock.now_ns(),
            lease_until_ns=self.clock.now_ns() + 90 * S,
            input_bound=0,
            output_bound=amount,
            cost_bound=Money(amount),
        )

    async def admit(self, amount: int, *limits: Limit) -> None:
        decision, _ = await self.admission.admit(self.ask(amount), (REQUESTS, *limits))
        assert isinstance(decision, Reservation)
        self.open.append(decision)

    def settle(self, which: int, amount: int) -> None:
        held = self.open.pop(which % len(self.open))
        usage, cost = TokenUsage(output=amount), Money(amount)
        assert self.admission.settle(held, usage, cost) is not None
        self.ledger.add(ended(held, usage, cost, self.clock.ns))

    async def verify(self) -> None:
        assert (await VerifyLedger([self.admission])()).differences == []

    async def used(self, *limits: Limit) -> list[int]:
        _, standings = await self.admission.foresee(self.ask(0), limits)
        return [standing.used for standing in standings]


@asynccontextmanager
async def running(
    disk: Disk, *, local: bool = False, patience_s: float = 60
) -> AsyncIterator[Process]:
    process = Process(disk, local=local, patience_s=patience_s)
    process.ledger.start()
    yield process
    await process.ledger.aclose()


@pytest.fixture
def disk() -> Disk:
    return Disk()


def ended(
    held: Reservation, usage: TokenUsage, cost: Money, ended_ns: int = START_NS
) -> LedgerEntry:
    entry = entry_of(held.ask, usage, cost, duration_ns=ended_ns - held.ask.at_ns)
    return replace(entry, held=held)


class Admits(NamedTuple):
    amount: int
    knows: bool


class Settles(NamedTuple):
    which: int
    amount: int


class Turns(NamedTuple):
    steps: int


class Verifies(NamedTuple):
    """Whether the counters are what the ledger says, while all goes on."""


Step = Admits | Settles | Turns | Verifies
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.builds(Admits, amount=st.integers(0, 99), knows=st.booleans())
    | st.builds(Settles, which=st.integers(0, 9), amount=st.integers(0, 120))
    | st.builds(Turns, steps=st.integers(1, 9))
    | st.builds(Verifies),
    min_size=4,
    max_size=30,
)
DISKS = st.builds(
    Disk, before=st.integers(0, 5), after=st.integers(0, 5), writing=st.integers(0, 4)
)


@settings(max_examples=300, deadline=None)
@given(disk=DISKS, taken=STEPS)
async def test_every_call_counts_once_however_it_falls_between_reading_and_writing(
    disk: Disk, taken: list[Step]
) -> None:
    """Calls come and end, and are written, while limits are set and met."""
    process = Process(disk)
    process.ledger.start()
    coming: list[asyncio.Task[None]] = []
    total = 0
    for step in taken:
        match step:
            case Admits(amount, knows):
                limits = NEW if knows else ()
                coming.append(asyncio.create_task(process.admit(amount, *limits)))
            case Settles(which, amount):
                if process.open:
                    process.settle(which, amount)
                    total += amount
            case Turns(turns):
                await steps(turns)
            case Verifies():
                coming.append(asyncio.create_task(process.verify()))
    await asyncio.gather(*coming)
    held = sum(r.ask.tokens for r in process.open)
    assert await process.used(*NEW) == [total + held, total + held, len(process.open)]
    while process.open:
        process.settle(0, 7)
        total += 7
    assert await process.used(*NEW) == [total, total, 0]
    await process.ledger.flush()
    await process.ledger.aclose()
    await process.verify()

    reborn = Process(disk)
    assert await reborn.used(*NEW, REQUESTS) == [total, total, 0, len(disk.written)]


async def test_a_limit_counts_what_was_before_it(disk: Disk) -> None:
    async with running(disk) as process:
        await process.admit(50)
        await process.admit(30)
        process.settle(0, 40)
        small = replace(BUDGET, amount=100)
        refused, _ = await process.admission.admit(process.ask(31), (REQUESTS, small))
        assert isinstance(refused, Refusal)
        assert (refused.limit, refused.used) == (small, 70)
        await process.admit(30, small)


async def test_a_restart_forgives_nothing(disk: Disk) -> None:
    async with running(disk) as killed:
        await killed.admit(50, *NEW)
        await killed.admit(30)
        await killed.admit(7, *NEW)
        killed.settle(2, 5)
        await killed.ledger.flush()
        disk.left_open = list(killed.open)
    async with running(disk) as process:
        assert await process.admission.take_over() == 2
        assert await process.used(*NEW, REQUESTS) == [85, 85, 2, 3]
        process.clock.ns += 90 * S
        assert await process.admission.expired() == []  # that is the reservations' to tell
        process.open = list(disk.left_open)
        while process.open:
            process.settle(0, process.open[0].ask.tokens)
        assert await process.used(BUDGET, PARALLEL) == [85, 0]
        await process.ledger.flush()
        assert await process.used(BUDGET, PARALLEL) == [85, 0]


async def test_calls_that_another_process_still_settles_come_to_what_they_used(disk: Disk) -> None:
    async with running(disk) as draining, running(disk) as process:
        await draining.admit(50, *NEW)
        await draining.admit(30, *NEW)
        disk.left_open = list(draining.open)
        await process.admission.take_over()
        assert await process.used(*NEW) == [80, 80, 2]
        draining.settle(0, 3)
        await draining.ledger.flush()
        assert await process.admission.expired() == []
        assert await process.used(*NEW) == [33, 33, 1]


async def test_nothing_is_left_of_what_another_process_gave_back(disk: Disk) -> None:
    by_user = replace(TOKENS, end_user="*")
    async with running(disk) as draining, running(disk) as process:
        ask = replace(draining.ask(50), end_user="ann")
        held, _ = await draining.admission.admit(ask, [by_user])
        assert isinstance(held, Reservation)
        disk.left_open = draining.open = [held]
        await process.admission.take_over()
        ann = replace(process.ask(0), end_user="ann")
        _, before = await process.admission.foresee(ann, [by_user])
        assert [standing.used for standing in before] == [50]
        disk.written.append(replace(ended(held, TokenUsage(), Money(0)), end_user="ann"))
        assert await process.admission.expired() == []
        _, after = await process.admission.foresee(ann, [by_user])
        assert [standing.used for standing in after] == [0]


async def test_a_lost_call_that_this_process_never_knew_is_counted_all_the_same(disk: Disk) -> None:
    async with running(disk) as other, running(disk) as process:
        assert await process.used(*NEW) == [0, 0, 0]
        await other.admit(50, *NEW)
        (lost,) = other.open
        usage, cost = lost.ask.usage_bound, lost.ask.cost_bound
        assert process.admission.settle(lost, usage, cost) is None
        process.ledger.add(ended(lost, usage, cost))
        assert await process.used(*NEW) == [50, 50, 0]


async def test_a_limit_that_was_lifted_and_set_again_has_missed_nothing(disk: Disk) -> None:
    async with running(disk) as process:
        await process.admit(10, *NEW)
        await process.admit(20)
        await process.admit(40, *NEW)
        process.settle(1, 25)
        assert await process.used(*NEW) == [75, 75, 2]


async def test_whoever_does_not_need_it_goes_on(disk: Disk) -> None:
    disk.before = 10**6
    async with running(disk) as process:
        other = KeyId(uuid4())
        waiting = asyncio.create_task(process.admit(10, *NEW))
        await steps(5)
        ask = replace(process.ask(1), key_id=other)
        decision, _ = await process.admission.admit(ask, ())
        assert isinstance(decision, Reservation)
        assert not waiting.done()
        waiting.cancel()
        disk.before = 0


async def test_limits_that_are_met_together_are_read_together(disk: Disk) -> None:
    disk.before = 3
    async with running(disk) as process:
        await asyncio.gather(*(process.admit(1, *NEW) for _ in range(20)))
        assert disk.reads <= 2
        await process.admit(1, *NEW)
        assert disk.reads <= 2


async def test_nobody_waits_for_ever(disk: Disk) -> None:
    disk.before = 10**9
    async with running(disk, patience_s=0.1) as process:
        with pytest.raises(StoreUnavailable):
            await process.admit(1, *NEW)


async def test_while_the_ledger_cannot_be_read_calls_are_refused(disk: Disk) -> None:
    disk.away = True
    async with running(disk) as process:
        for _ in range(3):
            with pytest.raises(StoreUnavailable):
                await process.admit(1, *NEW)
        disk.away = False
        process.clock.ns += S
        await process.admit(1, *NEW)


async def test_or_decided_by_what_is_known_until_it_can_be_read(disk: Disk) -> None:
    async with running(disk) as before:
        await before.admit(60)
        before.settle(0, 60)
        await before.ledger.flush()
    disk.away = True
    async with running(disk, local=True) as process:
        await process.admit(10, *NEW)
        await process.admit(20, *NEW)
        process.settle(0, 11)
        assert await process.used(*NEW) == [31, 31, 1]
        disk.away = False
        process.clock.ns += S
        assert await process.used(*NEW) == [91, 91, 1]
        process.settle(0, 20)
        assert await process.used(*NEW) == [91, 91, 0]


async def test_a_day_that_begins_while_it_is_read_is_read_again(disk: Disk) -> None:
    day = Period(every=Every.DAY)
    daily = replace(BUDGET, window=day)
    ends_ns = day.around(START_NS)[1]
    assert ends_ns is not None
    disk.after = 20
    async with running(disk) as process:
        process.clock.ns = ends_ns - S
        await process.admit(10)
        reading = asyncio.create_task(process.used(daily))
        await steps(10)
        process.clock.ns = ends_ns
        await process.admit(33)
        assert await reading == [33]


@pytest.mark.parametrize("back_s", [30, 3600])
async def test_a_day_that_is_over_and_comes_again_has_counted_what_was_spent_in_it(
    disk: Disk, back_s: int
) -> None:
    day = Period(every=Every.DAY)
    daily = replace(BUDGET, window=day)
    ends_ns = day.around(START_NS)[1]
    assert ends_ns is not None
    async with running(disk) as process:
        process.clock.ns = ends_ns - back_s * S
        await process.admit(50, daily)
        process.settle(0, 50)
        process.clock.ns = ends_ns + back_s * S // 2
        # Decisions for others, at which it may be forgotten.
        for _ in range(10):
            others = replace(process.ask(1), key_id=KeyId(uuid4()))
            await process.admission.admit(others, ())
        process.clock.ns = ends_ns - S
        assert await process.used(daily) == [50]
        await process.verify()


@pytest.mark.parametrize("used", [30, 50, 60])
async def test_a_call_that_outlasts_its_window_counts_as_it_did(disk: Disk, used: int) -> None:
    """Also before its entry is written, and when it is told anew from that: what it had reserved
    has slid out, what it owes counts from its end."""
    disk.writing = 30
    async with running(disk) as process:
        await process.admit(50, *NEW)
        process.clock.ns += 100 * S
        await process.admit(1, *NEW)
        (held, _) = process.open
        process.settle(0, used)
        await process.verify()
        owed = max(0, used - 50)
        assert await process.used(TOKENS) == [owed + 1]
        process.admission.recount([KEY])
        assert await process.used(TOKENS) == [owed + 1]
        await process.verify()
        await process.ledger.flush()
        await process.verify()
        assert held.ask.tokens == 50


async def test_what_the_ledger_does_not_know_of_is_told(disk: Disk) -> None:
    async with running(disk) as process:
        await process.admit(30, *NEW)
        await process.admit(20, *NEW)
        process.settle(0, 25)
        await process.ledger.flush()
        await process.verify()
        disk.written.clear()
        verdict = await VerifyLedger([process.admission])()
        told = {(d.which.split(" ")[0], d.what, d.expected, d.found) for d in verdict.differences}
        (slot,) = {d.what for d in verdict.differences if d.what.startswith("slot")}
        assert told == {
            (str(BUDGET.id), "spent", "$0.00", "$0.000000000025"),
            (str(TOKENS.id), slot, "20", "45"),
            (str(REQUESTS.id), slot, "1", "2"),
        }


async def test_a_correction_counts_from_the_next_call_on(disk: Disk) -> None:
    async with running(disk) as process:
        await process.admit(30, *NEW)
        process.settle(0, 25)
        await process.ledger.flush()
        assert await process.used(BUDGET) == [25]
        disk.written[0] = replace(disk.written[0], cost=Money(11))
        process.admission.recount([uuid4()])
        assert await process.used(BUDGET) == [25]
        process.admission.recount([KEY])
        assert await process.used(BUDGET) == [11]
        disk.written[0] = replace(disk.written[0], cost=Money(12))
        process.admission.recount(None)
        assert await process.used(BUDGET) == [12]


async def test_a_correction_that_comes_while_it_is_read_is_read(disk: Disk) -> None:
    disk.before, disk.after = 5, 20
    async with running(disk) as process:
        await process.admit(30)
        process.settle(0, 25)
        await process.ledger.flush()
        reading = asyncio.create_task(process.used(BUDGET))
        await steps(15)
        disk.written[0] = replace(disk.written[0], cost=Money(11))
        process.admission.recount([KEY])
        assert await reading == [11]
