import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.postgres.times import to_ns, to_timestamp

_YEAR_10000_US = 253_402_300_800 * 10**6


@given(st.integers(0, _YEAR_10000_US - 1))
def test_whole_microseconds_read_back_as_they_were(microseconds: int) -> None:
    assert to_ns(to_timestamp(microseconds * 1_000)) == microseconds * 1_000


@given(st.integers(0, (_YEAR_10000_US - 1) * 1_000))
def test_what_is_finer_is_rounded_down(at_ns: int) -> None:
    assert 0 <= at_ns - to_ns(to_timestamp(at_ns)) < 1_000


def test_a_time_beyond_the_calendar_is_refused() -> None:
    with pytest.raises(OverflowError):
        to_timestamp(_YEAR_10000_US * 1_000)
