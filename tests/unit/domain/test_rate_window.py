from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.limits import (
    SLOT_NS,
    SLOTS,
    WINDOW_NS,
    LimitKind,
    Limits,
    RateWindow,
    Refusal,
    Remaining,
)

NOW = 1_800_000_000 * 10**9  # the beginning of a slot
JUST_BEFORE = SLOT_NS - 1


def admitted(
    window: RateWindow, limits: Limits, tokens: int = 0, now_ns: int = NOW
) -> tuple[int, RateWindow]:
    decision, window = window.admit(limits, tokens, now_ns)
    assert isinstance(decision, int)
    return decision, window


def refused(
    window: RateWindow, limits: Limits, tokens: int = 0, now_ns: int = NOW
) -> tuple[Refusal, RateWindow]:
    decision, window = window.admit(limits, tokens, now_ns)
    assert isinstance(decision, Refusal)
    return decision, window


def test_refuses_the_call_that_would_exceed_the_limit_of_requests() -> None:
    limits = Limits(requests_per_minute=2)
    _, window = admitted(RateWindow(), limits)
    _, window = admitted(window, limits)
    refusal, _ = refused(window, limits)
    assert refusal == Refusal(
        kind=LimitKind.REQUESTS,
        limit=2,
        used=2,
        asked=1,
        retry_after_ns=WINDOW_NS + SLOT_NS,
    )


def test_refuses_the_call_that_would_exceed_the_limit_of_tokens() -> None:
    limits = Limits(tokens_per_minute=100)
    _, window = admitted(RateWindow(), limits, 60)
    refusal, window = refused(window, limits, 41)
    assert refusal.kind is LimitKind.TOKENS
    assert (refusal.limit, refusal.used, refusal.asked) == (100, 60, 41)
    admitted(window, limits, 40)


def test_a_call_larger_than_the_limit_never_fits() -> None:
    refusal, _ = refused(RateWindow(), Limits(tokens_per_minute=100), 101)
    assert refusal.retry_after_ns is None
    refusal, _ = refused(RateWindow(), Limits(requests_per_minute=0))
    assert refusal.retry_after_ns is None


def test_tells_the_longer_wait_where_both_limits_refuse() -> None:
    """Requests first used up, tokens later: coming back for the request alone is in vain."""
    both = Limits(requests_per_minute=2, tokens_per_minute=100)
    _, window = admitted(RateWindow(), both, 1)
    _, window = admitted(window, both, 99, NOW + 30 * 10**9)
    refusal, _ = refused(window, both, 50, NOW + 31 * 10**9)
    assert refusal.kind is LimitKind.TOKENS
    assert refusal.retry_after_ns == 59 * 10**9 + SLOT_NS
    never, _ = refused(window, both, 101, NOW + 31 * 10**9)
    assert (never.kind, never.retry_after_ns) == (LimitKind.TOKENS, None)
    refusal, _ = refused(window, both, 1, NOW + 31 * 10**9)
    assert refusal.kind is LimitKind.REQUESTS
    assert refusal.retry_after_ns == 29 * 10**9 + SLOT_NS


@pytest.mark.parametrize("within_slot_ns", [0, 1, JUST_BEFORE])
def test_a_call_counts_for_a_whole_minute_and_at_most_a_slot_longer(within_slot_ns: int) -> None:
    limits = Limits(requests_per_minute=1)
    _, window = admitted(RateWindow(), limits, now_ns=NOW + within_slot_ns)
    refused(window, limits, now_ns=NOW + within_slot_ns + WINDOW_NS)
    refused(window, limits, now_ns=NOW + WINDOW_NS + JUST_BEFORE)
    admitted(window, limits, now_ns=NOW + WINDOW_NS + SLOT_NS)


def test_no_limit_refuses_nothing_and_still_counts() -> None:
    window = RateWindow()
    for _ in range(1000):
        _, window = admitted(window, Limits(), 10**9)
    assert (window.requests, window.tokens) == (1000, 1000 * 10**9)
    refused(window, Limits(requests_per_minute=1000))


def test_settling_below_the_reservation_gives_the_rest_back_at_once() -> None:
    limits = Limits(tokens_per_minute=100)
    slot, window = admitted(RateWindow(), limits, 100)
    refused(window, limits, 1)
    window = window.settle(slot, 100, 30, NOW)
    refused(window, limits, 71)
    admitted(window, limits, 70)


def test_what_was_used_counts_from_when_it_was_reserved() -> None:
    limits = Limits(tokens_per_minute=100)
    slot, window = admitted(RateWindow(), limits, 100)
    window = window.settle(slot, 100, 80, NOW + WINDOW_NS // 2)
    refused(window, limits, 21, NOW + WINDOW_NS)
    admitted(window, limits, 100, NOW + WINDOW_NS + SLOT_NS)


def test_settling_above_the_reservation_leaves_a_debt_that_blocks_until_it_has_slid_out() -> None:
    limits = Limits(tokens_per_minute=100)
    slot, window = admitted(RateWindow(), limits, 50)
    late = NOW + WINDOW_NS // 2
    window = window.settle(slot, 50, 150, late)
    assert window.tokens == 150
    refusal, _ = refused(window, limits, 0, NOW + WINDOW_NS)
    assert refusal.used == 150
    refused(window, limits, 1, late + WINDOW_NS)
    admitted(window, limits, 100, late + WINDOW_NS + SLOT_NS)


def test_a_debt_is_not_a_request() -> None:
    slot, window = admitted(RateWindow(), Limits(), 5)
    assert window.settle(slot, 5, 9, NOW + 10 * SLOT_NS).requests == 1


@pytest.mark.parametrize("actual", [0, 40, 100])
def test_settling_after_the_slot_has_slid_out_is_harmless(actual: int) -> None:
    limits = Limits(tokens_per_minute=100)
    slot, window = admitted(RateWindow(), limits, 100)
    later = NOW + 2 * WINDOW_NS
    _, window = admitted(window, limits, 60, later)
    settled = window.settle(slot, 100, actual, later)
    assert (settled.tokens, settled.requests) == (60, 1)
    refused(settled, limits, 41, later)


def test_a_clock_that_steps_back_forgives_nothing() -> None:
    limits = Limits(requests_per_minute=1)
    _, window = admitted(RateWindow(), limits)
    refused(window, limits, now_ns=NOW - 10 * WINDOW_NS)
    refused(window, limits, now_ns=NOW)
    refused(window, limits, now_ns=NOW + WINDOW_NS)
    admitted(window, limits, now_ns=NOW + WINDOW_NS + SLOT_NS)


def test_a_call_settled_after_the_clock_stepped_back_gives_back_nobody_elses_tokens() -> None:
    limits = Limits(tokens_per_minute=100)
    slot, window = admitted(RateWindow(), limits, 100)
    _, window = refused(window, limits, 101, NOW + 2 * WINDOW_NS)  # its slot is forgotten here
    _, window = admitted(window, limits, 100, NOW)
    window = window.settle(slot, 100, 0, NOW)
    assert window.tokens == 100
    refused(window, limits, 1)


def test_a_refused_call_takes_nothing() -> None:
    limits = Limits(requests_per_minute=1, tokens_per_minute=10)
    _, window = refused(RateWindow(), limits, 11)
    assert (window.requests, window.tokens) == (0, 0)
    admitted(window, limits, 10)


def test_tells_what_remains_and_until_when() -> None:
    limits = Limits(requests_per_minute=10, tokens_per_minute=100)
    _, window = admitted(RateWindow(), limits, 30)
    _, window = admitted(window, limits, 0, NOW + SLOT_NS)
    assert window.remaining(limits, NOW + SLOT_NS) == Remaining(
        requests=8,
        tokens=70,
        reset_requests_ns=WINDOW_NS + SLOT_NS,
        reset_tokens_ns=WINDOW_NS,
    )
    assert window.remaining(Limits(), NOW + 2 * WINDOW_NS) == Remaining(
        requests=None, tokens=None, reset_requests_ns=0, reset_tokens_ns=0
    )


def test_what_remains_is_never_below_nothing() -> None:
    slot, window = admitted(RateWindow(), Limits(tokens_per_minute=10), 10)
    window = window.settle(slot, 10, 99, NOW)
    remaining = window.remaining(Limits(requests_per_minute=0, tokens_per_minute=10), NOW)
    assert (remaining.requests, remaining.tokens) == (0, 0)


def test_is_empty_once_everything_has_slid_out() -> None:
    assert RateWindow().is_empty(NOW)
    _, window = admitted(RateWindow(), Limits())
    assert not window.is_empty(NOW + WINDOW_NS + JUST_BEFORE)
    assert window.is_empty(NOW + WINDOW_NS + SLOT_NS)


def test_holds_no_more_slots_than_a_minute_has() -> None:
    window = RateWindow()
    for step in range(3 * SLOTS):
        _, window = admitted(window, Limits(), 1, NOW + step * SLOT_NS)
        assert len(window.slots) <= SLOTS + 1
    assert len(window.slots) == SLOTS + 1


@pytest.mark.parametrize("wrong", [-1, True, 1.5, "60"])
@pytest.mark.parametrize("name", ["requests_per_minute", "tokens_per_minute"])
def test_refuses_a_limit_that_is_not_a_whole_number_of_at_least_0(name: str, wrong: int) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: wrong})


CALLS = st.lists(
    st.tuples(
        st.one_of(
            st.integers(0, 2 * SLOT_NS),
            st.integers(0, 12).map(lambda s: s * 5 * 10**9),
            st.sampled_from([WINDOW_NS - 1, WINDOW_NS, WINDOW_NS + 1, WINDOW_NS + SLOT_NS]),
        ),
        st.integers(0, 12),
    ),
    max_size=40,
)


@given(CALLS, st.integers(0, 5), st.integers(0, 20))
def test_admitted_calls_never_exceed_a_limit_in_any_minute(
    calls: Sequence[tuple[int, int]], max_requests: int, max_tokens: int
) -> None:
    limits = Limits(requests_per_minute=max_requests, tokens_per_minute=max_tokens)
    window, now_ns = RateWindow(), NOW
    log: list[tuple[int, int]] = []
    for pause_ns, tokens in calls:
        now_ns += pause_ns
        decision, window = window.admit(limits, tokens, now_ns)
        if not isinstance(decision, Refusal):
            log.append((now_ns, tokens))
    # A window that holds the most begins at a call; one of 60 s holds both of its ends here.
    for start_ns, _ in log:
        inside = [tokens for at_ns, tokens in log if start_ns <= at_ns <= start_ns + WINDOW_NS]
        assert len(inside) <= max_requests
        assert sum(inside) <= max_tokens
