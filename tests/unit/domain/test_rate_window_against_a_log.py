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

from langroute.domain.limits import (
    SLOT_NS,
    SLOTS,
    WINDOW_NS,
    LimitKind,
    Limits,
    RateWindow,
    Refusal,
)

START_NS = 1_800_000_000 * 10**9

PAUSES = st.one_of(
    st.integers(0, 2 * SLOT_NS),
    st.integers(0, 2 * SLOTS).map(lambda slots: slots * SLOT_NS),
    st.tuples(
        st.sampled_from([SLOT_NS, WINDOW_NS - SLOT_NS, WINDOW_NS, WINDOW_NS + SLOT_NS]),
        st.integers(-1, 1),
    ).map(sum),
)
LIMITS = st.builds(
    Limits,
    requests_per_minute=st.none() | st.integers(0, 6),
    tokens_per_minute=st.none() | st.integers(0, 30),
)


@dataclass(slots=True, kw_only=True)
class Event:
    """`real_ns` is when it happened; `shown_ns` the latest that the clock had shown by then.
    `tokens` starts as what was reserved, and is only ever lowered; a debt is an event of its own.
    """

    real_ns: int
    shown_ns: int
    requests: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Open:
    event: Event
    slot: int
    reserved: int


class WindowBesideLog(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.window = RateWindow()
        self.limits = Limits()
        self.log: list[Event] = []
        self.open: list[Open] = []
        self.real_ns = self.clock_ns = self.latest_ns = START_NS

    @initialize(limits=LIMITS)
    def begin(self, limits: Limits) -> None:
        self.limits = limits

    @rule(pause_ns=PAUSES)
    def time_passes(self, pause_ns: int) -> None:
        self.real_ns += pause_ns
        self.clock_ns += pause_ns
        self.latest_ns = max(self.latest_ns, self.clock_ns)

    @rule(step_ns=PAUSES)
    def the_clock_steps_back(self, step_ns: int) -> None:
        self.clock_ns -= step_ns

    @rule(limits=LIMITS)
    def an_operator_changes_the_limits(self, limits: Limits) -> None:
        self.limits = limits

    @rule(tokens=st.integers(0, 35))
    def a_call_asks(self, tokens: int) -> None:
        before = self.window
        decision, self.window = before.admit(self.limits, tokens, self.clock_ns)
        if isinstance(decision, Refusal):
            assert self.log_would_refuse(decision.kind, tokens)
            self.check_refusal(decision, tokens)
            self.check_took_nothing(before)
        else:
            self.log.append(
                Event(real_ns=self.real_ns, shown_ns=self.latest_ns, requests=1, tokens=tokens)
            )
            self.open.append(Open(self.log[-1], decision, tokens))
            self.check_limits_hold()

    @precondition(lambda self: self.open)
    @rule(data=st.data(), actual=st.integers(0, 50))
    def a_call_settles(self, data: st.DataObject, actual: int) -> None:
        call = self.open.pop(data.draw(st.integers(0, len(self.open) - 1)))
        before = self.window
        self.window = before.settle(call.slot, call.reserved, actual, self.clock_ns)
        if actual > call.reserved:
            self.log.append(
                Event(
                    real_ns=self.real_ns,
                    shown_ns=self.latest_ns,
                    requests=0,
                    tokens=actual - call.reserved,
                )
            )
        else:
            call.event.tokens = actual
            assert self.window.tokens <= before.tokens

    @invariant()
    def sums_are_those_of_the_slots(self) -> None:
        slots = self.window.slots
        assert self.window.requests == sum(slot.requests for slot in slots)
        assert self.window.tokens == sum(slot.tokens for slot in slots)
        assert all(slot.requests >= 0 and slot.tokens >= 0 for slot in slots)

    @invariant()
    def slots_are_few_and_in_order(self) -> None:
        numbers = [slot.number for slot in self.window.slots]
        assert numbers == sorted(set(numbers))
        assert len(numbers) <= SLOTS + 1
        assert not numbers or numbers[-1] - numbers[0] <= SLOTS

    def check_limits_hold(self) -> None:
        """In the minute that ends now. Any other minute holds no more than one that ends with an
        admission: what comes after it in the log is lowered by settling, or is a debt."""
        minute = [event for event in self.log if event.real_ns >= self.real_ns - WINDOW_NS]
        if self.limits.requests_per_minute is not None:
            assert sum(event.requests for event in minute) <= self.limits.requests_per_minute
        if self.limits.tokens_per_minute is not None:
            assert sum(event.tokens for event in minute) <= self.limits.tokens_per_minute

    def log_would_refuse(self, kind: LimitKind, tokens: int) -> bool:
        """Whether a log would that keeps each event for a minute and a slot, by the clock."""
        since_ns = self.clock_ns - WINDOW_NS - SLOT_NS
        kept = [event for event in self.log if event.shown_ns > since_ns]
        if kind is LimitKind.REQUESTS:
            limit = self.limits.requests_per_minute
            return limit is not None and sum(event.requests for event in kept) + 1 > limit
        limit = self.limits.tokens_per_minute
        return limit is not None and sum(event.tokens for event in kept) + tokens > limit

    def check_refusal(self, refusal: Refusal, tokens: int) -> None:
        wait_ns = refusal.retry_after_ns
        if wait_ns is None:
            assert refusal.asked > refusal.limit
            later_ns = self.clock_ns + 100 * WINDOW_NS
            assert isinstance(self.window.admit(self.limits, tokens, later_ns)[0], Refusal)
            return
        assert wait_ns > 0
        then_ns = self.clock_ns + wait_ns
        assert isinstance(self.window.admit(self.limits, tokens, then_ns)[0], int)
        for too_early_ns in (then_ns - SLOT_NS, then_ns - 1):
            at_ns = max(self.clock_ns, too_early_ns)
            assert isinstance(self.window.admit(self.limits, tokens, at_ns)[0], Refusal)

    def check_took_nothing(self, before: RateWindow) -> None:
        assert before.remaining(self.limits, self.clock_ns) == self.window.remaining(
            self.limits, self.clock_ns
        )


TestWindowBesideLog = WindowBesideLog.TestCase
TestWindowBesideLog.settings = settings(max_examples=150, stateful_step_count=40)
