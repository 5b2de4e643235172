"""Days, weeks and months as people have them: in a time zone, with its summer time."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

NS_PER_S = 10**9
_DECEMBER = 12


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    wrong = ValueError(f"{name!r} is not the name of a time zone")
    # Files of the machine, such as `localtime`, are neither the IANA's zones nor Postgres'.
    if not name[:1].isupper():
        raise wrong
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise wrong from error


class Every(StrEnum):
    """How often a budget begins anew."""

    DAY = "day"
    WEEK = "week"  # which begins on Monday (ISO 8601)
    MONTH = "month"
    NEVER = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """`zone` is a name of the IANA's, such as `Europe/Berlin`. Raises ValueError for one that is
    not known."""

    every: Every = Every.NEVER
    zone: str = "UTC"

    def __post_init__(self) -> None:
        _zone(self.zone)

    def around(self, now_ns: int) -> tuple[int, int | None]:
        """When it began, in Unix nanoseconds, and when the next one begins: None if never.

        A day begins at midnight; where the clock skips that, with the first moment there is, and
        where it strikes twice, at the first stroke.
        """
        if self.every is Every.NEVER:
            return 0, None
        zone = _zone(self.zone)
        today = datetime.fromtimestamp(now_ns // NS_PER_S, UTC).astimezone(zone).date()
        first, following = _dates(self.every, today)
        return _begin_ns(first, zone), _begin_ns(following, zone)


FOR_GOOD = Period()


def _dates(every: Every, today: date) -> tuple[date, date]:
    if every is Every.DAY:
        return today, today + timedelta(days=1)
    if every is Every.WEEK:
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(weeks=1)
    year, month = divmod(today.year * _DECEMBER + today.month, _DECEMBER)
    return today.replace(day=1), date(year, month + 1, 1)


def _begin_ns(day: date, zone: ZoneInfo) -> int:
    # `fold` is 0: in a gap that is the offset before it, and so the moment of the skip itself.
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()) * NS_PER_S
