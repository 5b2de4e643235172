"""A period that is told to a script is the one of its moment, however often it was told before."""

from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.redis.periods import period_around
from langroute.domain.limits import MINUTE, Limit, Measure, Sliding
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD, Every, Period

S = 10**9
START_NS = 1_800_000_000 * S
SCOPE = key_scope(uuid4())
WINDOWS = (
    MINUTE,
    FOR_GOOD,
    Period(every=Every.DAY, zone="Europe/Berlin"),
    Period(every=Every.DAY, zone="America/New_York"),
    Period(every=Every.WEEK),
    Period(every=Every.MONTH, zone="Asia/Kolkata"),
)


def expected(window: Sliding | Period, at_ns: int) -> tuple[str, str]:
    if isinstance(window, Sliding):
        return "", ""
    began_ns, ends_ns = window.around(at_ns)
    return str(began_ns // 1000), "" if ends_ns is None else str(ends_ns // 1000)


@given(st.lists(st.tuples(st.sampled_from(WINDOWS), st.integers(-90, 90), st.integers(0, 86_399))))
def test_it_is_the_one_of_the_moment(told: list[tuple[Sliding | Period, int, int]]) -> None:
    for window, days, seconds in told:
        at_ns = START_NS + (days * 86_400 + seconds) * S
        limit = Limit(scope=SCOPE, measure=Measure.MONEY, amount=1, window=window)
        assert period_around(limit, at_ns) == expected(window, at_ns)


def test_the_next_one_begins_to_the_nanosecond() -> None:
    day = Period(every=Every.DAY, zone="Europe/Berlin")
    limit = Limit(scope=SCOPE, measure=Measure.MONEY, amount=1, window=day)
    ends_ns = day.around(START_NS)[1]
    assert ends_ns is not None
    before, after = period_around(limit, ends_ns - 1), period_around(limit, ends_ns)
    assert before[1] == after[0] == str(ends_ns // 1000)
