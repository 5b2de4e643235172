"""Random lives of gateways that share a store: calls, settlements, hang-ups, leases that run out,
restarts, limits that change, clocks that step. What is decided is what the pure `Books` decide."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
)

from clocks import SteppedClock
from interleaved_steps import (
    AMOUNT,
    ASKED,
    BEGIN_NS,
    CHANGE,
    DAILY,
    IN_PLAY,
    PRICE,
    STEP,
    Call,
    Change,
    Kind,
    Midnight,
    Tenant,
)
from interleaved_stores import Stores
from langroute.adapters.memory.seeds import STEP_BACK_NS
from langroute.domain.admission import Ask, Reservation, counted
from langroute.domain.ids import RequestId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit, Refusal
from langroute.domain.money import ZERO, Money
from langroute.domain.usage import NO_USAGE, TokenUsage
from oracle import Oracle
from samples import entry_of


@dataclass(frozen=True, slots=True)
class Told:
    """What a gateway has recorded, and not yet written."""

    entry: LedgerEntry
    at_ns: int


@dataclass(slots=True)
class Process:
    """What one gateway knows for itself."""

    waiting: list[Told] = field(default_factory=list)
    open: set[RequestId] = field(default_factory=set)
    settled: set[RequestId] = field(default_factory=set)


class Interleavings(RuleBasedStateMachine):
    """What a store is like, that its decisions depend on:

    `in_one_process`: it goes with its gateway. What a call used counts once that is known; in other
    stores once it is written, and until then the call holds its bound. That calls come without a
    limit shows it that this was lifted; from other stores its counters go at once.

    `apart_from_the_ledger`: settlements are told to it behind their entries, as of when the call
    ended; and a limit that is new there takes what its own gateway has recorded for over, as it
    will have heard by the time that this matters to others.
    """

    stores_by: Callable[[SteppedClock], Stores]
    in_one_process = False
    apart_from_the_ledger = False
    calls = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.clock = SteppedClock(BEGIN_NS)
        self.stores = type(self).stores_by(self.clock)
        self.loop.run(self.stores.start())
        self.gateways = [Process() for _ in range(1 if self.in_one_process else 2)]
        self.oracle = Oracle()
        self.stepped_back = False
        self.latest_ns = 0

    def teardown(self) -> None:
        self.loop.run(self.stores.aclose())
        self.loop.close()

    @initialize(kinds=IN_PLAY, amounts=st.lists(AMOUNT, min_size=5, max_size=5))
    def begin(self, kinds: Sequence[Kind], amounts: Sequence[int]) -> None:
        self.tenant = Tenant(kinds)
        for number, amount in enumerate(amounts):
            self.change(Change(number, 0, amount))

    @rule(target=calls, gateway=st.integers(0, 1), asked=ASKED)
    def admit(self, gateway: int, asked: Sequence[Call]) -> object:
        gateway %= len(self.gateways)
        admitted = [self.admit_one(gateway, each) for each in asked]
        return multiple(*((gateway, each) for each in admitted if each is not None))

    @rule(call=calls, used=st.integers(0, 60), written=st.booleans())
    def settle(self, call: tuple[int, Reservation], used: int, written: bool) -> None:
        """Below, at or above what was reserved."""
        self.end(*call, TokenUsage(output=used), Money(used * PRICE))
        if written:
            self.write(call[0])

    @rule(call=calls, at_bound=st.booleans())
    def cancel(self, call: tuple[int, Reservation], at_bound: bool) -> None:
        """Its caller hangs up: before anything was used, or it has to be taken for all of it."""
        ask = call[1].ask
        usage, cost = (ask.usage_bound, ask.cost_bound) if at_bound else (NO_USAGE, ZERO)
        self.end(*call, usage, cost)

    @rule(gateway=st.integers(0, 1))
    def write(self, gateway: int) -> None:
        gateway %= len(self.gateways)
        process = self.gateways[gateway]
        self.loop.run(self.stores.write(gateway))
        if not self.in_one_process:
            for told in process.waiting:
                as_of_ns = told.at_ns if self.apart_from_the_ledger else self.clock.ns
                self.oracle.settle(told.entry, as_of_ns)
        process.waiting = []

    @rule(gateway=st.integers(0, 1))
    def expire(self, gateway: int) -> None:
        """Whoever's they are: also those of a gateway that is gone."""
        gateway %= len(self.gateways)
        lost = {each.ask.request_id: each for each in self.lost([gateway])}
        for reservation in lost.values():
            ask = reservation.ask
            assert ask.lease_until_ns <= self.clock.ns
            usage, cost = ask.usage_bound, ask.cost_bound
            self.stores.gateways[gateway].settle(reservation, usage, cost)
            entry = replace(entry_of(ask, usage, cost), held=reservation)
            self.record(gateway, entry, lasted_ns=ask.lease_until_ns - ask.at_ns)

    @rule(gateway=st.integers(0, 1), killed=st.booleans())
    def restart(self, gateway: int, killed: bool) -> None:
        """What a killed one has not written has never been, but for what its calls hold."""
        gateway %= len(self.gateways)
        if not killed:
            self.write(gateway)
        self.loop.run(self.stores.restart(gateway))
        process, self.gateways[gateway] = self.gateways[gateway], Process()
        if not self.in_one_process:
            return
        if process.waiting:
            self.oracle.forget([told.entry for told in process.waiting])
        else:
            self.read_again(None)

    def read_again(self, limit_ids: Collection[UUID] | None) -> None:
        """That these are made anew from the ledger, in one process, changes nothing: but where the
        clock has stepped back, it puts what was used then where it belongs, in the past."""
        if not self.stepped_back:
            self.oracle.lose(limit_ids)
        elif limit_ids is None:
            self.oracle.drop_all()
        else:
            self.oracle.drop(limit_ids)

    @precondition(lambda self: not self.in_one_process)
    @rule()
    def empty(self) -> None:
        """The store loses all that it has."""
        self.loop.run(self.stores.empty())
        self.oracle.drop_all()

    @rule(changes=st.lists(CHANGE, min_size=1, max_size=3))
    def change_limits(self, changes: Sequence[Change]) -> None:
        for each in changes:
            self.change(each)

    @rule(target=calls, change=CHANGE, gateway=st.integers(0, 1), asked=ASKED)
    def lift_and_set_again(self, change: Change, gateway: int, asked: Sequence[Call]) -> object:
        """It has missed nothing."""
        self.change(change._replace(amount=None))
        admitted = self.admit(gateway, asked)
        self.change(change)
        return admitted

    @rule(to=STEP)
    def step(self, to: int | Midnight) -> None:
        before_ns = self.clock.ns
        if isinstance(to, Midnight):
            self.clock.ns = (DAILY.around(before_ns)[1] or 0) + to.and_ns
        else:
            self.clock.ns += to
        if self.clock.ns < before_ns:
            self.stepped_back = True
            self.oracle.drop_lost()

    @invariant()
    def nothing_expires_early_or_late(self) -> None:
        found = {each.ask.request_id for each in self.lost(range(len(self.gateways)))}
        assert found == {
            each.ask.request_id for each in self.oracle.books.expired(self.clock.ns)
        } - {told.entry.request_id for told in self.told()}

    def told(self) -> list[Told]:
        """What is not written, of all gateways."""
        return [told for process in self.gateways for told in process.waiting]

    def lost(self, gateways: Sequence[int]) -> list[Reservation]:
        """As `ExpireReservations` finds them, but for those that are on their way to the ledger."""
        found = [each for gateway in gateways for each in self.expired(gateway)]
        found += [
            each
            for each in self.loop.run(self.stores.under_way(self.tenant.team))
            if each.ask.lease_until_ns <= self.clock.ns
        ]
        told = {told.entry.request_id for told in self.told()}
        return [each for each in found if each.ask.request_id not in told]

    def expired(self, gateway: int) -> list[Reservation]:
        """But for those that another gateway has settled: they come to what the ledger says."""
        admission, left = self.stores.gateways[gateway], []
        for each in self.loop.run(admission.expired()):
            entry = self.oracle.over.get(each.ask.request_id)
            if entry is None:
                left.append(each)
            else:
                admission.settle(each, entry.usage, entry.cost)
        return left

    def end(self, gateway: int, reservation: Reservation, usage: TokenUsage, cost: Money) -> None:
        process, ask = self.gateways[gateway], reservation.ask
        if ask.request_id not in process.open:  # with a gateway that is gone
            return
        settled = {*self.oracle.over, *(told.entry.request_id for told in self.told())}
        if ask.request_id in settled - process.settled:  # it was taken for lost
            return
        told = self.stores.gateways[gateway].settle(reservation, usage, cost)
        if ask.request_id in process.settled:
            if self.in_one_process:
                self.read_again(self.oracle.known_of(ask))
            # A server that has not heard of it yet tells of it, once its lease has run out.
            assert told is None or self.apart_from_the_ledger
        else:
            assert told is not None
            entry = replace(entry_of(ask, usage, cost), held=reservation)
            self.record(gateway, entry, lasted_ns=max(0, self.clock.ns - ask.at_ns))

    def record(self, gateway: int, entry: LedgerEntry, *, lasted_ns: int) -> None:
        entry = replace(entry, duration_ns=lasted_ns)
        self.stores.record(gateway, entry)
        process = self.gateways[gateway]
        process.settled.add(entry.request_id)
        process.waiting.append(Told(entry, self.clock.ns))
        if self.in_one_process:
            self.oracle.settle(entry, self.clock.ns)

    def admit_one(self, gateway: int, call: Call) -> Reservation | None:
        process, admission = self.gateways[gateway], self.stores.gateways[gateway]
        now_ns = self.clock.ns
        ask, limits = self.tenant.ask(call, now_ns), self.tenant.limits_of(call)
        if self.in_one_process:
            self.look_at_the_clock()
        self.meet(process, ask, limits)
        if call.is_foreseen:
            refusal, before = self.loop.run(admission.foresee(ask, limits))
            assert refusal == self.oracle.foresee(ask, limits, now_ns)
            assert list(before) == self.oracle.standings(ask, limits, now_ns)
        decision, standings = self.loop.run(admission.admit(ask, limits))
        assert decision == self.oracle.admit(ask, limits, now_ns)
        assert list(standings) == self.oracle.standings(ask, limits, now_ns)
        if isinstance(decision, Refusal):
            return None
        self.loop.run(self.stores.admitted(decision))
        process.open.add(ask.request_id)
        return decision

    def look_at_the_clock(self) -> None:
        """In one process, a step back that is large makes it read all anew."""
        if self.clock.ns < self.latest_ns - STEP_BACK_NS:
            self.oracle.drop_all()
            self.latest_ns = self.clock.ns
        self.latest_ns = max(self.latest_ns, self.clock.ns)

    def meet(self, process: Process, ask: Ask, limits: Sequence[Limit]) -> None:
        if self.in_one_process:
            self.oracle.drop_missed(ask, limits)
            self.oracle.meet(limits, self.clock.ns, back_ns=STEP_BACK_NS)
            return
        counting = [each.limit for each in counted(ask, limits)]
        waiting = process.waiting if self.apart_from_the_ledger else ()
        over = {told.entry.request_id: told.entry for told in waiting}
        self.oracle.meet(counting, self.clock.ns, waiting=over)

    def change(self, change: Change) -> None:
        for limit in self.tenant.change(change):
            self.loop.run(self.stores.lift(limit))
            if not self.in_one_process:
                self.oracle.drop([limit.id])
