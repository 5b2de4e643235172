from langroute.application.ports.clock import Clock


class SteppedClock:
    """Stands still until it is moved."""

    def __init__(self, ns: int = 1_800_000_000 * 10**9) -> None:
        self.ns = ns

    def now_ns(self) -> int:
        return self.ns

    def monotonic_ns(self) -> int:
        return self.ns


_: type[Clock] = SteppedClock
