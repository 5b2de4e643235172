from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.periods import Every, Period

NS_PER_S = 10**9
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",  # had no midnight when summer began
    "Asia/Beirut",  # has none, either
    "America/Havana",  # strikes midnight twice
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # shifts by half an hour
    "Pacific/Apia",  # left out the 30th of December 2011
)


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * NS_PER_S


def around(every: Every, zone: str, now: str) -> tuple[str, str]:
    began_ns, ends_ns = Period(every=every, zone=zone).around(ns(now))
    assert ends_ns is not None
    shown = (datetime.fromtimestamp(at // NS_PER_S, UTC) for at in (began_ns, ends_ns))
    began, ends = (at.strftime("%Y-%m-%dT%H:%MZ") for at in shown)
    return began, ends


@pytest.mark.parametrize(
    ("every", "zone", "now", "began", "ends"),
    [
        (Every.DAY, "UTC", "2026-11-24T12:00Z", "2026-11-24T00:00Z", "2026-11-25T00:00Z"),
        # 23 hours, and 25
        (Every.DAY, "Europe/Berlin", "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z"),
        (Every.DAY, "Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z"),
        # Midnight was skipped: the day began at one o'clock.
        (
            *(Every.DAY, "America/Sao_Paulo", "2018-11-04T12:00Z"),
            *("2018-11-04T03:00Z", "2018-11-05T02:00Z"),
        ),
        # It struck twice: the day began with the first.
        (
            *(Every.DAY, "America/Havana", "2026-11-01T12:00Z"),
            *("2026-11-01T04:00Z", "2026-11-02T05:00Z"),
        ),
        (
            Every.WEEK,
            "Europe/Berlin",
            "2026-03-29T12:00Z",
            "2026-03-22T23:00Z",
            "2026-03-29T22:00Z",
        ),
        (
            Every.MONTH,
            "Europe/Berlin",
            "2026-10-31T12:00Z",
            "2026-09-30T22:00Z",
            "2026-10-31T23:00Z",
        ),
        (Every.MONTH, "UTC", "2026-12-31T23:59:59Z", "2026-12-01T00:00Z", "2027-01-01T00:00Z"),
    ],
)
def test_a_period_is_what_a_calendar_in_that_place_says(
    every: Every, zone: str, now: str, began: str, ends: str
) -> None:
    assert around(every, zone, now) == (began, ends)


@given(
    st.sampled_from([Every.DAY, Every.WEEK, Every.MONTH]),
    st.sampled_from(ZONES),
    st.integers(0, 4 * 10**9),
)
def test_every_moment_is_in_one_period_and_the_next_begins_where_it_ends(
    every: Every, zone: str, at_s: int
) -> None:
    period = Period(every=every, zone=zone)
    began_ns, ends_ns = period.around(at_s * NS_PER_S)
    assert ends_ns is not None
    assert began_ns <= at_s * NS_PER_S < ends_ns
    assert period.around(began_ns) == (began_ns, ends_ns)
    assert period.around(ends_ns - 1) == (began_ns, ends_ns)
    assert period.around(ends_ns)[0] == ends_ns


@given(st.sampled_from(ZONES), st.integers(0, 4 * 10**9))
def test_a_day_is_one_date(zone: str, at_s: int) -> None:
    began_ns, ends_ns = Period(every=Every.DAY, zone=zone).around(at_s * NS_PER_S)
    assert ends_ns is not None
    place = ZoneInfo(zone)
    moments = (began_ns // NS_PER_S, at_s, ends_ns // NS_PER_S - 1)
    dates = {datetime.fromtimestamp(s, UTC).astimezone(place).date() for s in moments}
    assert len(dates) == 1
    before = datetime.fromtimestamp(began_ns // NS_PER_S - 1, UTC).astimezone(place).date()
    assert dates.pop() - before >= timedelta(days=1)


def test_for_good_never_ends() -> None:
    assert Period().around(ns("2026-11-24T12:00Z")) == (0, None)


@pytest.mark.parametrize(
    "zone", ["", "localtime", "posixrules", "Mars/Olympus", "../etc/passwd", "Europe", "\0"]
)
def test_a_zone_that_nobody_knows_is_refused(zone: str) -> None:
    with pytest.raises(ValueError, match="time zone"):
        Period(every=Every.DAY, zone=zone)
