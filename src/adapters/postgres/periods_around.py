from ...domain.periods import Every, Period

Bounds = tuple[int, int, int, int]


class PeriodsAround:
    """When the period before this one, this one, the next and the one after that begin.

    Postgres decides by its own clock and knows no calendars: it takes that one of the three which
    it is in. They are reckoned once in a period.
    """

    def __init__(self) -> None:
        self._known: dict[Period, Bounds] = {}

    def bounds(self, period: Period, now_ns: int) -> Bounds | None:
        """None for the one that never ends."""
        if period.every is Every.NEVER:
            return None
        known = self._known.get(period)
        if known is None or not known[1] <= now_ns < known[2]:
            known = self._known[period] = _bounds(period, now_ns)
        return known


def _bounds(period: Period, now_ns: int) -> Bounds:
    began_ns, ends_ns = period.around(now_ns)
    before_ns, _ = period.around(began_ns - 1)
    assert ends_ns is not None  # noqa: S101  (another one follows)
    _, after_ns = period.around(ends_ns)
    assert after_ns is not None  # noqa: S101
    return before_ns, began_ns, ends_ns, after_ns
