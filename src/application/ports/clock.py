from typing import Protocol


class Clock(Protocol):
    def now_ns(self) -> int:
        """Unix time. May step; for records, limits and expiry."""
        ...

    def monotonic_ns(self) -> int:
        """Never steps back; for measuring how long something took."""
        ...
