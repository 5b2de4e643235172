from datetime import UTC, datetime

_NS_PER_S = 10**9
# Postgres, Python and JavaScript can all tell these, in every time zone.
_FIRST, _LAST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)


def to_ns(moment: datetime) -> int:
    """Unix nanoseconds; a moment without a zone is in UTC. Exact: the float of `timestamp()` would
    lose microseconds. Raises ValueError before 1970, and where the years have four digits no more.
    """
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not _FIRST <= aware <= _LAST:
        raise ValueError("it must be after 1970 and before 9999-12-30")
    whole = int(aware.replace(microsecond=0).timestamp())
    return whole * _NS_PER_S + aware.microsecond * 1_000
