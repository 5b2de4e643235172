from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.rate_window import MINUTE_NS, NS_PER_S, SLOTS, RateWindow

SLOT_NS = MINUTE_NS // SLOTS
NOW = 1_800_000_000 * NS_PER_S  # the beginning of a slot


def admitted(window: RateWindow, limit: int, amount: int = 1, now_ns: int = NOW) -> RateWindow:
    return placed(window, limit, amount, now_ns)[1]


def placed(
    window: RateWindow, limit: int, amount: int = 1, now_ns: int = NOW
) -> tuple[int, RateWindow]:
    slot, window = window.admit(limit, amount, now_ns)
    assert slot is not None
    return slot, window


def refused(window: RateWindow, limit: int, amount: int = 1, now_ns: int = NOW) -> int | None:
    """How long to wait."""
    slot, after = window.admit(limit, amount, now_ns)
    assert slot is None
    assert after.used(now_ns) == window.used(now_ns)
    return window.wait_ns(limit, amount, now_ns)


def test_refuses_the_call_that_would_exceed_the_limit() -> None:
    window = admitted(RateWindow(), 100, 60)
    assert refused(window, 100, 41) == MINUTE_NS + SLOT_NS
    admitted(window, 100, 40)


def test_what_is_larger_than_the_limit_never_fits() -> None:
    assert refused(RateWindow(), 100, 101) is None
    assert refused(RateWindow(), 0) is None


@pytest.mark.parametrize("within_slot_ns", [0, 1, SLOT_NS - 1])
def test_a_call_counts_for_a_whole_minute_and_at_most_a_slot_longer(within_slot_ns: int) -> None:
    window = admitted(RateWindow(), 1, now_ns=NOW + within_slot_ns)
    refused(window, 1, now_ns=NOW + within_slot_ns + MINUTE_NS)
    refused(window, 1, now_ns=NOW + MINUTE_NS + SLOT_NS - 1)
    admitted(window, 1, now_ns=NOW + MINUTE_NS + SLOT_NS)


@pytest.mark.parametrize("seconds", [1, 7, 3_600, 31 * 24 * 3_600])
def test_a_window_may_be_of_any_length(seconds: int) -> None:
    empty = RateWindow(length_ns=seconds * NS_PER_S)
    window = admitted(empty, 1)
    refused(window, 1, now_ns=NOW + seconds * NS_PER_S)
    wait_ns = refused(window, 1)
    assert wait_ns is not None
    assert seconds * NS_PER_S < wait_ns <= seconds * NS_PER_S + empty.slot_ns
    admitted(window, 1, now_ns=NOW + wait_ns)


def test_settling_below_the_reservation_gives_the_rest_back_at_once() -> None:
    slot, window = placed(RateWindow(), 100, 100)
    refused(window, 100)
    window = window.settle(slot, 100, 30, NOW)
    refused(window, 100, 71)
    admitted(window, 100, 70)


def test_what_was_used_counts_from_when_it_was_reserved() -> None:
    slot, window = placed(RateWindow(), 100, 100)
    window = window.settle(slot, 100, 80, NOW + MINUTE_NS // 2)
    refused(window, 100, 21, NOW + MINUTE_NS)
    admitted(window, 100, 100, NOW + MINUTE_NS + SLOT_NS)


def test_settling_above_the_reservation_leaves_a_debt_that_blocks_until_it_has_slid_out() -> None:
    slot, window = placed(RateWindow(), 100, 50)
    late = NOW + MINUTE_NS // 2
    window = window.settle(slot, 50, 150, late)
    assert window.total == 150
    refused(window, 100, 0, NOW + MINUTE_NS)
    refused(window, 100, 1, late + MINUTE_NS)
    admitted(window, 100, 100, late + MINUTE_NS + SLOT_NS)


@pytest.mark.parametrize("actual", [0, 40, 100])
def test_settling_after_the_slot_has_slid_out_is_harmless(actual: int) -> None:
    slot, window = placed(RateWindow(), 100, 100)
    later = NOW + 2 * MINUTE_NS
    window = admitted(window, 100, 60, later)
    settled = window.settle(slot, 100, actual, later)
    assert settled.total == 60
    refused(settled, 100, 41, later)


def test_a_clock_that_steps_back_forgives_nothing() -> None:
    window = admitted(RateWindow(), 1)
    for now_ns in (NOW - 10 * MINUTE_NS, NOW, NOW + MINUTE_NS):
        refused(window, 1, now_ns=now_ns)


def test_tells_when_all_of_it_is_free_again() -> None:
    assert RateWindow().reset_ns(NOW) == 0
    window = admitted(RateWindow(), 5)
    window = admitted(window, 5, now_ns=NOW + 10 * NS_PER_S)
    assert MINUTE_NS < window.reset_ns(NOW + 10 * NS_PER_S) <= MINUTE_NS + SLOT_NS
    assert window.is_idle(NOW + 2 * MINUTE_NS)
    assert not window.is_idle(NOW + MINUTE_NS)


def test_an_empty_one_is_wanted_until_the_clock_is_where_it_was() -> None:
    """Its calls may still be settled: no other ones may come into their slots."""
    slot, window = RateWindow().admit(5, 5, NOW)
    assert slot is not None
    later_ns = NOW + 2 * MINUTE_NS
    settled = window.settle(slot, 5, 5, later_ns)
    assert settled.used(NOW) == 0
    assert not settled.is_idle(NOW)
    assert settled.is_idle(later_ns)


def test_an_empty_one_is_as_one_that_was_never_used() -> None:
    slot, used = RateWindow().admit(5, 5, NOW)
    assert slot is not None
    later_ns = NOW + 2 * MINUTE_NS
    empty = used.settle(slot, 5, 5, later_ns)
    assert empty == RateWindow().settle(slot, 5, 5, later_ns)
    again_ns = later_ns + 2 * MINUTE_NS
    assert empty.settle(slot, 5, 5, again_ns) == RateWindow().settle(slot, 5, 5, again_ns)


CALLS = st.lists(
    st.tuples(st.integers(0, 20 * NS_PER_S), st.integers(0, 12)), min_size=1, max_size=60
)


@given(CALLS, st.integers(1, 30))
def test_no_minute_holds_more_than_the_limit(calls: Sequence[tuple[int, int]], limit: int) -> None:
    window, now_ns = RateWindow(), NOW
    log: list[tuple[int, int]] = []
    for pause_ns, amount in calls:
        now_ns += pause_ns
        slot, window = window.admit(limit, amount, now_ns)
        if slot is not None:
            log.append((now_ns, amount))
    for end_ns, _ in log:
        minute = [amount for at_ns, amount in log if end_ns - MINUTE_NS <= at_ns <= end_ns]
        assert sum(minute) <= limit
