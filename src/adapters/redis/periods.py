"""When a limit's period began and ends, as a script is told of it."""

from typing import NamedTuple

from ...domain.limits import Limit, Sliding
from ...domain.periods import Period

_NS_PER_US = 1000
# There are no more zones than that, and a few kinds of periods.
_MOST_KEPT = 2_000


class _Around(NamedTuple):
    began_ns: int
    ends_ns: int
    words: tuple[str, str]


_kept: dict[Period, _Around] = {}


def period_around(limit: Limit, about_ns: int) -> tuple[str, str]:
    """In microseconds; empty for a window that slides, and for an end that never comes."""
    period = limit.window
    if isinstance(period, Sliding):
        return "", ""
    kept = _kept.get(period)
    # To find it out takes longer than all else that is told of a limit.
    if kept is not None and kept.began_ns <= about_ns < kept.ends_ns:
        return kept.words
    began_ns, ends_ns = period.around(about_ns)
    began = str(began_ns // _NS_PER_US)
    if ends_ns is None:
        return began, ""
    if len(_kept) >= _MOST_KEPT:
        _kept.clear()
    words = began, str(ends_ns // _NS_PER_US)
    _kept[period] = _Around(began_ns, ends_ns, words)
    return words
