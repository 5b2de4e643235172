"""The domain's Unix nanoseconds as Postgres keeps them: in whole microseconds, rounded down.

The clock of the gateway tells whole microseconds, so that what it wrote reads back the same.
"""

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_NS_PER_MICROSECOND = 1_000
_NS_PER_S = 10**9


def to_timestamp(at_ns: int) -> datetime:
    """Raises OverflowError beyond the year 9999."""
    # By seconds, too: timedelta takes twice as long to take microseconds apart by itself.
    seconds, ns = divmod(at_ns, _NS_PER_S)
    return _EPOCH + timedelta(0, seconds, ns // _NS_PER_MICROSECOND)


def to_ns(timestamp: datetime) -> int:
    return (timestamp - _EPOCH) // _MICROSECOND * _NS_PER_MICROSECOND


def to_timestamp_or_none(at_ns: int | None) -> datetime | None:
    return None if at_ns is None else to_timestamp(at_ns)


def to_ns_or_none(timestamp: datetime | None) -> int | None:
    return None if timestamp is None else to_ns(timestamp)
