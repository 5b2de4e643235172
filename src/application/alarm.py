import asyncio
import math
from collections.abc import Callable


class Alarm:
    """Rings once, `after_s` from when it was set, unless it is stopped.

    For what is set and stopped a thousand times a second, and hardly ever rings: that costs a look
    at the clock, where a timer of the event loop for each would cost 6 µs. There is one, which
    comes back for what was set since.
    """

    def __init__(self, after_s: float, ring: Callable[[], None]) -> None:
        self._after_s = after_s
        self._ring = ring
        self._set_at_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def is_set(self) -> bool:
        return self._set_at_s is not None

    def set(self) -> None:
        """Again, it changes nothing."""
        if self.is_set or self._after_s == math.inf:
            return
        loop = asyncio.get_running_loop()
        self._set_at_s = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._after_s, self._look)

    def stop(self) -> None:
        self._set_at_s = None

    def discard(self) -> None:
        """Also the timer, which holds whatever would hear it."""
        self.stop()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._set_at_s is None:
            return
        loop = asyncio.get_running_loop()
        left_s = self._set_at_s + self._after_s - loop.time()
        if left_s > 0:
            self._timer = loop.call_later(left_s, self._look)
        else:
            self._set_at_s = None
            self._ring()
