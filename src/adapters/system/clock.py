import time

from ...application.ports.clock import Clock


class SystemClock:
    """Whole microseconds, as Postgres keeps them."""

    def now_ns(self) -> int:
        return time.time_ns() // 1_000 * 1_000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()


_: type[Clock] = SystemClock
