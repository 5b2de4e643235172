"""RateWindow beside a model that forgets nothing: a log of every event with its exact time."""

from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from langroute.domain.rate_window import SLOTS, RateWindow

WINDOW_NS = 60 * 10**9
SLOT_NS = WINDOW_NS // SLOTS
START_NS = 1_800_000_000 * 10**9

PAUSES = st.one_of(
    st.integers(0, 2 * SLOT_NS),
    st.integers(0, 2 * SLOTS).map(lambda slots: slots * SLOT_NS),
    st.tuples(
        st.sampled_from([SLOT_NS, WINDOW_NS - SLOT_NS, WINDOW_NS, WINDOW_NS + SLOT_NS]),
        st.integers(-1, 1),
    ).map(sum),
)
LIMITS = st.integers(0, 30)


@dataclass(slots=True, kw_only=True)
class Event:
    """`real_ns` is when it happened; `shown_ns` the latest that the clock had shown by then.
    `amount` starts as what was reserved, and is only ever lowered; a debt is an event of its own.
    """

    real_ns: int
    shown_ns: int
    amount: int


@dataclass(frozen=True, slots=True)
class Open:
    event: Event
    slot: int
    reserved: int


class WindowBesideLog(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.window = RateWindow()
        self.limit = 0
        self.log: list[Event] = []
        self.open: list[Open] = []
        self.real_ns = self.clock_ns = self.latest_ns = START_NS

    @initialize(limit=LIMITS)
    def begin(self, limit: int) -> None:
        self.limit = limit

    @rule(pause_ns=PAUSES)
    def time_passes(self, pause_ns: int) -> None:
        self.real_ns += pause_ns
        self.clock_ns += pause_ns
        self.latest_ns = max(self.latest_ns, self.clock_ns)

    @rule(step_ns=PAUSES)
    def the_clock_steps_back(self, step_ns: int) -> None:
        self.clock_ns -= step_ns

    @rule(limit=LIMITS)
    def an_operator_changes_the_limit(self, limit: int) -> None:
        self.limit = limit

    @rule(amount=st.integers(0, 35))
    def a_call_asks(self, amount: int) -> None:
        before = self.window
        slot, self.window = before.admit(self.limit, amount, self.clock_ns)
        if slot is None:
            assert self.log_would_refuse(amount)
            self.check_wait(amount)
            assert self.window.used(self.clock_ns) == before.used(self.clock_ns)
        else:
            self.log.append(Event(real_ns=self.real_ns, shown_ns=self.latest_ns, amount=amount))
            self.open.append(Open(self.log[-1], slot, amount))
            self.check_limit_holds()

    @precondition(lambda self: self.open)
    @rule(data=st.data(), actual=st.integers(0, 50))
    def a_call_settles(self, data: st.DataObject, actual: int) -> None:
        call = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        before = self.window
        self.window = before.settle(call.slot, call.reserved, actual, self.clock_ns)
        if actual > call.reserved:
            debt = actual - call.reserved
            self.log.append(Event(real_ns=self.real_ns, shown_ns=self.latest_ns, amount=debt))
        else:
            call.event.amount = actual
            assert self.window.total <= before.total

    @invariant()
    def the_sum_is_that_of_the_slots(self) -> None:
        assert self.window.total == sum(slot.amount for slot in self.window.slots)
        assert all(slot.amount >= 0 for slot in self.window.slots)

    @invariant()
    def slots_are_few_and_in_order(self) -> None:
        numbers = [slot.number for slot in self.window.slots]
        assert numbers == sorted(set(numbers))
        assert len(numbers) <= SLOTS + 1
        assert not numbers or numbers[-1] - numbers[0] <= SLOTS

    def check_limit_holds(self) -> None:
        """In the minute that ends now. Any other minute holds no more than one that ends with an
        admission: what comes after it in the log is lowered by settling, or is a debt."""
        minute = [event for event in self.log if event.real_ns >= self.real_ns - WINDOW_NS]
        assert sum(event.amount for event in minute) <= self.limit

    def log_would_refuse(self, amount: int) -> bool:
        """Whether a log would that keeps each event for a minute and a slot, by the clock."""
        since_ns = self.clock_ns - WINDOW_NS - SLOT_NS
        kept = [event for event in self.log if event.shown_ns > since_ns]
        return sum(event.amount for event in kept) + amount > self.limit

    def check_wait(self, amount: int) -> None:
        wait_ns = self.window.wait_ns(self.limit, amount, self.clock_ns)
        if wait_ns is None:
            assert amount > self.limit
            later_ns = self.clock_ns + 100 * WINDOW_NS
            assert self.window.admit(self.limit, amount, later_ns)[0] is None
            return
        assert wait_ns > 0
        then_ns = self.clock_ns + wait_ns
        assert self.window.admit(self.limit, amount, then_ns)[0] is not None
        for too_early_ns in (then_ns - SLOT_NS, then_ns - 1):
            at_ns = max(self.clock_ns, too_early_ns)
            assert self.window.admit(self.limit, amount, at_ns)[0] is None


TestWindowBesideLog = WindowBesideLog.TestCase
TestWindowBesideLog.settings = settings(max_examples=150, stateful_step_count=40)
