import os
import time
from uuid import UUID

from ...application.ports.entropy import Entropy

_VERSION_7 = 0x7 << 76
_VARIANT = 0x2 << 62
_MAX_COUNT = 0xFFF


class SystemEntropy:
    """The operating system's randomness."""

    def __init__(self) -> None:
        self._last_ms = 0
        self._count = 0

    def secret(self, size: int) -> bytes:
        return os.urandom(size)

    def uuid(self) -> UUID:
        """RFC 9562, version 7, with the 12 bits after the milliseconds as a counter, so that
        even those of one millisecond come in order."""
        now_ms = max(time.time_ns() // 1_000_000, self._last_ms)
        self._count = self._count + 1 if now_ms == self._last_ms else 0
        if self._count > _MAX_COUNT:
            now_ms, self._count = now_ms + 1, 0
        self._last_ms = now_ms
        random = int.from_bytes(os.urandom(8), "big") >> 2
        return UUID(int=now_ms << 80 | _VERSION_7 | self._count << 64 | _VARIANT | random)


_: type[Entropy] = SystemEntropy
