from datetime import UTC, datetime

_NS_PER_S = 10**9


def to_ns(moment: datetime) -> int:
    """Unix nanoseconds; a moment without a zone is in UTC. Exact: the float of `timestamp()` would
    lose microseconds."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    whole = int(aware.replace(microsecond=0).timestamp())
    return whole * _NS_PER_S + aware.microsecond * 1_000
