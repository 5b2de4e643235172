"""What is kept of limits in memory: no more than decisions need, however many calls there are."""

import gc
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any
from uuid import uuid4

import pytest

from clocks import SteppedClock
from langroute.adapters.memory.admission import MemoryAdmission
from langroute.domain.admission import Ask, Reservation
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import ZERO, Money
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD
from langroute.domain.usage import NO_USAGE, TokenUsage

S = 10**9
NOON = 1_800_000_000 * S
PLENTY = 10**15


def limits_of(key: KeyId) -> Sequence[Limit]:
    scope = key_scope(key)
    return (
        Limit(scope=scope, measure=Measure.REQUESTS, amount=PLENTY),
        Limit(scope=scope, measure=Measure.TOKENS, amount=PLENTY),
        Limit(scope=scope, measure=Measure.MONEY, amount=PLENTY, window=FOR_GOOD),
        Limit(scope=scope, measure=Measure.PARALLEL, amount=PLENTY, window=FOR_GOOD),
    )


def a_call(key: KeyId, clock: SteppedClock) -> Ask:
    return Ask(
        request_id=RequestId(uuid4()),
        key_id=key,
        model="m",
        streamed=False,
        at_ns=clock.ns,
        lease_until_ns=clock.ns + 600 * S,
        input_bound=10,
        output_bound=10,
        cost_bound=Money(10),
    )


async def admitted(admission: MemoryAdmission, ask: Ask, limits: Sequence[Limit]) -> Reservation:
    decision, _ = await admission.admit(ask, limits)
    assert isinstance(decision, Reservation)
    return decision


def size(counter: object) -> int:
    """In bytes, with all that it holds."""
    parts = counter if isinstance(counter, tuple) else ()
    return sys.getsizeof(counter) + sum(map(size, parts))


@pytest.mark.parametrize("limit", limits_of(KeyId(uuid4())), ids=lambda limit: limit.measure)
def test_a_counter_is_no_larger_for_the_calls_that_are_under_way(limit: Limit) -> None:
    counter, sizes = limit.fresh(), []
    for _ in range(10_000):
        place, counter = counter.admit(limit.amount, 10**9, NOON)
        assert place is not None
        sizes.append(size(counter))
    # A word or two for larger numbers.
    assert sizes[-1] <= sizes[0] + 32


async def test_a_decision_does_as_much_beside_ten_thousand_calls_as_beside_ten() -> None:
    assert await steps_beside(10_000) == await steps_beside(10)


async def test_keys_that_came_once_are_forgotten_faster_than_others_come() -> None:
    clock = SteppedClock(NOON)
    admission = MemoryAdmission(clock)
    for _ in range(2_000):
        key = KeyId(uuid4())
        limits = limits_of(key)
        reservation = await admitted(admission, a_call(key, clock), limits)
        admission.settle(reservation, NO_USAGE, ZERO)
        clock.ns += S
    # Four of each: those of a minute, and of the time in which all of them are looked at.
    assert len(admission) < 2 * 60 * 4


async def steps_beside(calls: int) -> int:
    """How many lines one more call takes at most, from its admission to its settlement."""
    clock, key = SteppedClock(NOON), KeyId(uuid4())
    admission, limits = MemoryAdmission(clock), limits_of(key)
    for _ in range(calls):
        await admitted(admission, a_call(key, clock), limits)
    taken = []
    for _ in range(10):
        with counted_lines() as lines:
            reservation = await admitted(admission, a_call(key, clock), limits)
            admission.settle(reservation, TokenUsage(input=5), Money(5))
        taken.append(len(lines))
    return max(taken)


@contextmanager
def counted_lines() -> Iterator[list[int]]:
    """The lines that Python runs, one after the other. But for those at the end of what other tests
    have left to its garbage collector, which may come at any time."""
    lines: list[int] = []

    def trace(frame: FrameType, event: str, _: object) -> Any:
        if event == "line":
            lines.append(frame.f_lineno)
        return trace

    before = sys.gettrace()
    gc.disable()
    sys.settrace(trace)
    try:
        yield lines
    finally:
        sys.settrace(before)
        gc.enable()
