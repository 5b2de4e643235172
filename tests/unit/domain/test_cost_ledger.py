from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from langroute.domain.cost_ledger import CostLedger
from langroute.domain.periods import Every, Period

NS_PER_S = 10**9
HOUR_NS = 3_600 * NS_PER_S
DAILY = Period(every=Every.DAY, zone="Europe/Berlin")
NOON = int(datetime(2026, 11, 24, 12, tzinfo=UTC).timestamp()) * NS_PER_S


def test_refuses_the_call_that_would_exceed_the_budget() -> None:
    place, ledger = CostLedger().admit(100, 60, NOON)
    assert place == 0
    assert ledger.admit(100, 41, NOON)[0] is None
    assert ledger.admit(100, 40, NOON)[0] == 0


def test_what_was_not_used_comes_back_and_what_was_is_spent() -> None:
    place, ledger = CostLedger().admit(100, 100, NOON)
    assert place is not None
    ledger = ledger.settle(place, 100, 30, NOON)
    assert (ledger.spent, ledger.reserved) == (30, 0)
    assert ledger.admit(100, 71, NOON)[0] is None
    assert ledger.admit(100, 70, NOON)[0] == 0


def test_a_budget_begins_anew_with_its_day() -> None:
    place, ledger = CostLedger(period=DAILY).admit(100, 100, NOON)
    assert place == NOON - 13 * HOUR_NS
    assert ledger.wait_ns(100, 1, NOON) == 11 * HOUR_NS
    assert ledger.admit(100, 1, NOON + 11 * HOUR_NS - 1)[0] is None
    tomorrow, ledger = ledger.admit(100, 100, NOON + 11 * HOUR_NS)
    assert tomorrow == NOON + 11 * HOUR_NS
    assert (ledger.spent, ledger.reserved) == (0, 100)


def test_a_call_is_spent_in_the_day_that_admitted_it() -> None:
    place, ledger = CostLedger(period=DAILY).admit(100, 80, NOON)
    assert place is not None
    tomorrow = NOON + 12 * HOUR_NS
    ledger = ledger.settle(place, 80, 80, tomorrow)
    assert ledger.used(tomorrow) == 0


def test_a_clock_that_steps_back_forgives_nothing() -> None:
    _, ledger = CostLedger(period=DAILY).admit(100, 100, NOON)
    assert ledger.admit(100, 1, NOON - 24 * HOUR_NS)[0] is None


def test_an_empty_one_is_wanted_until_the_clock_is_in_its_day() -> None:
    place, ledger = CostLedger(period=DAILY).admit(100, 10, NOON)
    assert place is not None
    ledger = ledger.settle(place, 10, 0, NOON)
    assert ledger.is_idle(NOON)
    assert not ledger.is_idle(NOON - 24 * HOUR_NS)


def test_a_budget_for_good_never_begins_anew() -> None:
    _, ledger = CostLedger().admit(100, 100, NOON)
    assert ledger.wait_ns(100, 1, NOON) is None
    assert ledger.admit(100, 1, NOON + 10**6 * HOUR_NS)[0] is None


class BudgetBesideLog(RuleBasedStateMachine):
    """Beside a list of all that was admitted, with what became of it."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = CostLedger(period=DAILY)
        self.now_ns = NOON
        self.log: list[tuple[int, int]] = []  # when the period began, and how much
        self.open: list[tuple[int, int, int]] = []  # place, reserved, index in the log

    @rule(hours=st.integers(0, 30))
    def time_passes(self, hours: int) -> None:
        self.now_ns += hours * HOUR_NS

    @rule(limit=st.integers(0, 50), amount=st.integers(0, 40))
    def a_call_asks(self, limit: int, amount: int) -> None:
        before = self.in_period()
        place, self.ledger = self.ledger.admit(limit, amount, self.now_ns)
        assert (place is None) == (before + amount > limit)
        if place is not None:
            assert place == DAILY.around(self.now_ns)[0]
            self.log.append((place, amount))
            self.open.append((place, amount, len(self.log) - 1))

    @precondition(lambda self: self.open)
    @rule(data=st.data(), actual=st.integers(0, 60))
    def a_call_settles(self, data: st.DataObject, actual: int) -> None:
        which = data.draw(st.integers(0, len(self.open) - 1))
        place, reserved, index = self.open.pop(which)
        self.ledger = self.ledger.settle(place, reserved, actual, self.now_ns)
        self.log[index] = (place, actual)

    @invariant()
    def it_is_what_the_log_says(self) -> None:
        assert self.ledger.used(self.now_ns) == self.in_period()

    def in_period(self) -> int:
        began_ns = DAILY.around(self.now_ns)[0]
        return sum(amount for began, amount in self.log if began == began_ns)


TestBudgetBesideLog = BudgetBesideLog.TestCase
TestBudgetBesideLog.settings = settings(max_examples=100, stateful_step_count=40)
