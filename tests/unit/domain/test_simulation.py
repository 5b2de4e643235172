"""What past calls would have been is what the books would have decided, and what prices say."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langroute.domain.admission import Reservation
from langroute.domain.limits import Limit, Measure, Refusal, Sliding
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope, team_scope
from langroute.domain.past_calls import PastCall
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.simulation import Simulated, Simulation, counted_since
from langroute.domain.what_if import WhatIf
from past_traffic import (
    KEYS,
    START_NS,
    TEAM,
    Lived,
    S,
    a_past_call,
    by_scope,
    limits,
    lived,
    traffic,
)


def simulated(calls: Iterable[PastCall], what_if: WhatIf, from_ns: int = 0) -> Simulated:
    simulation = Simulation(what_if, from_ns)
    for call in calls:
        simulation.replay(call)
    return simulation.result()


def under(limits: Iterable[Limit], scale: int = 1) -> WhatIf:
    return WhatIf(limits=by_scope(limits), scale=scale)


def refusals(told: Sequence[Lived]) -> Counter[Limit]:
    return Counter(each.decision.limit for each in told if isinstance(each.decision, Refusal))


def warnings(told: Sequence[Lived]) -> Counter[Limit]:
    return Counter(
        limit
        for each in told
        if isinstance(each.decision, Reservation)
        for limit in each.decision.warnings
    )


@given(traffic(), limits())
def test_it_decides_as_the_books_do(calls: list[PastCall], limits: tuple[Limit, ...]) -> None:
    told = list(lived(calls, limits))
    result = simulated(calls, under(limits))

    found = {each.limit: each.refused.calls for each in result.limits if each.refused.calls}
    warned = {each.limit: each.warned for each in result.limits if each.warned}
    assert found == refusals(told)
    assert warned == warnings(told)
    admitted = [each.call.call for each in told if isinstance(each.decision, Reservation)]
    assert result.total.admitted.calls == len(admitted)
    assert result.total.admitted.cost == sum(call.cost.pico for call in admitted)
    assert result.total.admitted.tokens == sum(call.usage.total for call in admitted)


@given(traffic(), limits())
def test_what_was_admitted_is_admitted_again(
    calls: list[PastCall], limits: tuple[Limit, ...]
) -> None:
    admitted = [
        each.call for each in lived(calls, limits) if isinstance(each.decision, Reservation)
    ]
    result = simulated(admitted, under(limits))

    assert result.total.refused == 0
    assert result.total.admitted == result.total.was


@given(traffic(), limits(), st.integers(0, 40))
def test_calls_of_before_fill_the_limits_and_are_not_told_of(
    calls: list[PastCall], limits: tuple[Limit, ...], before: int
) -> None:
    from_ns = [*(call.place[0] for call in calls), 2 * START_NS][min(before, len(calls))]
    result = simulated(calls, under(limits), from_ns)

    told = [each for each in lived(calls, limits) if each.call.place[0] >= from_ns]
    assert {each.limit: each.refused.calls for each in result.limits if each.refused.calls} == (
        refusals(told)
    )
    assert result.total.was.calls == len(told)
    assert result.warmed_up == len(calls) - len(told)


@given(traffic(), limits(), st.integers(1, 3))
def test_every_heading_adds_up_to_the_total(
    calls: list[PastCall], limits: tuple[Limit, ...], scale: int
) -> None:
    result = simulated(calls, under(limits, scale))

    total = result.total
    assert total.was.calls == len(calls)
    assert total.admitted.calls + total.refused == scale * len(calls)
    assert total.refused == sum(each.refused.calls for each in result.limits)
    for lines in (result.by_key, result.by_model, result.by_provider):
        assert sum(line.refused for line in lines.values()) == total.refused
        assert sum(line.warned for line in lines.values()) == total.warned
        for of_one, of_all in (
            ([line.was for line in lines.values()], total.was),
            ([line.admitted for line in lines.values()], total.admitted),
        ):
            assert sum(each.calls for each in of_one) == of_all.calls
            assert sum(each.tokens for each in of_one) == of_all.tokens
            assert sum(each.cost for each in of_one) == of_all.cost
            assert sum(each.unpriced_calls for each in of_one) == of_all.unpriced_calls


def test_a_limit_tells_when_it_refused_and_what_that_comes_to() -> None:
    limit = Limit(scope=key_scope(KEYS[0]), measure=Measure.REQUESTS, amount=2)
    calls = [a_past_call(number, START_NS + number * S) for number in range(5)]

    (refusing,) = simulated(calls, under([limit])).limits

    assert (refusing.limit, refusing.refused.calls) == (limit, 3)
    assert (refusing.first_ns, refusing.last_ns) == (START_NS + 2 * S, START_NS + 4 * S)
    assert (refusing.refused.tokens, refusing.refused.cost) == (12, 36)
    assert (refusing.unpriced, refusing.warned) == (0, 0)


def test_a_call_counts_for_the_team_that_it_was_made_for() -> None:
    limit = Limit(scope=team_scope(TEAM), measure=Measure.REQUESTS, amount=0)
    calls = [a_past_call(1), a_past_call(2, START_NS + S, team_id=None)]

    assert simulated(calls, under([limit])).total.refused == 1


def test_a_call_without_a_price_is_refused_by_a_budget_that_counts_it() -> None:
    scope = key_scope(KEYS[0])
    budget = Limit(scope=scope, measure=Measure.MONEY, amount=10**12, window=FOR_GOOD, model="m")
    calls = [
        a_past_call(1, priced=False, cost=Money(0)),
        a_past_call(2, START_NS + S, priced=False, cost=Money(0), model="n"),
        a_past_call(3, START_NS + 2 * S),
    ]

    result = simulated(calls, under([budget]))
    (refusing,) = result.limits
    assert (refusing.refused.calls, refusing.unpriced) == (1, 1)
    assert result.total.admitted.unpriced_calls == 1

    assert simulated(calls, under([replace(budget, soft=True)])).total.refused == 0


def test_twice_the_traffic_fits_half_as_often() -> None:
    limit = Limit(scope=key_scope(KEYS[0]), measure=Measure.REQUESTS, amount=6)
    calls = [a_past_call(number, START_NS + number * S) for number in range(6)]

    result = simulated(calls, under([limit], scale=2))

    assert (result.total.was.calls, result.total.admitted.calls, result.total.refused) == (6, 6, 6)


def test_a_call_without_a_reservation_on_record_asked_for_what_it_used() -> None:
    limit = Limit(scope=key_scope(KEYS[0]), measure=Measure.TOKENS, amount=8)
    calls = [PastCall(a_past_call(number, START_NS + number).call) for number in range(3)]

    result = simulated(calls, under([limit]))

    assert (result.total.refused, result.unreserved) == (1, 3)


@settings(max_examples=20)
@given(st.integers(1, 50), st.integers(1, 200))
def test_a_limit_of_requests_a_minute_lets_so_many_through(amount: int, calls: int) -> None:
    limit = Limit(scope=key_scope(KEYS[0]), measure=Measure.REQUESTS, amount=amount)
    together = [a_past_call(number, START_NS + number) for number in range(calls)]

    assert simulated(together, under([limit])).total.admitted.calls == min(amount, calls)


def test_counters_of_which_nothing_is_left_are_let_go() -> None:
    """And those that something is left of are not."""
    scope = key_scope(KEYS[0])
    a_minute = Limit(scope=scope, measure=Measure.REQUESTS, amount=1, end_user="*")
    for_good = Limit(scope=scope, measure=Measure.REQUESTS, amount=1, window=FOR_GOOD, tag="*")
    simulation = Simulation(under([a_minute, for_good]), 0)
    # It is under way for longer than its window, and settles while others go on.
    simulation.replay(a_past_call(10**6, end_user="long", duration_ns=2_500 * 120 * S))
    for number in range(3_000):
        at_ns = START_NS + number * 120 * S
        simulation.replay(a_past_call(2 * number, at_ns, end_user=f"{number}"))
        simulation.replay(a_past_call(2 * number + 1, at_ns, tag=f"{number % 10}"))

    assert simulation.result().total.admitted.calls == 1 + 3_000 + 10
    assert len(simulation._replay._counters) < 2_000


def test_a_call_that_ends_when_another_begins_has_ended_before() -> None:
    limit = Limit(scope=key_scope(KEYS[0]), measure=Measure.PARALLEL, amount=1, window=FOR_GOOD)
    calls = [a_past_call(number, START_NS + number * S) for number in range(3)]
    assert simulated(calls, under([limit])).total.refused == 0
    calls = [a_past_call(number, START_NS + number * (S - 1)) for number in range(3)]
    assert simulated(calls, under([limit])).total.refused == 1


@pytest.mark.parametrize(
    ("window", "since_ns"),
    [
        # And a slot, of which they have 250.
        (Sliding(seconds=100), START_NS - 100 * S),
        (Sliding(seconds=1000), START_NS - 1000 * S),
        (Period(every=Every.DAY), START_NS - START_NS % (86_400 * S)),
        (FOR_GOOD, 0),
    ],
)
def test_what_counts_at_a_moment_begins_with_the_longest_window(
    window: Sliding | Period, since_ns: int
) -> None:
    scope = key_scope(KEYS[0])
    short = Limit(scope=scope, measure=Measure.REQUESTS, amount=1, window=Sliding(seconds=1))
    limit = Limit(scope=scope, measure=Measure.REQUESTS, amount=1, window=window)
    parallel = Limit(scope=scope, measure=Measure.PARALLEL, amount=1, window=FOR_GOOD)

    assert counted_since([short, limit, parallel], START_NS) == since_ns
    assert counted_since([parallel], START_NS) == START_NS
    assert counted_since([], START_NS) == START_NS
