from collections.abc import Collection, Iterator

from ...domain.admission import CounterId
from ...domain.limits import Counter

Key = int | tuple[int, str]
"""A limit's number, and the name where it counts several apart: Python hashes that ten times faster
than a UUID, and most counters have no name."""

# So more are forgotten than come.
_LOOKED_AT_FOR_EACH = 2


class Counters(dict[Key, Counter]):
    """Those that hold anything. One in which nothing is left that a decision needs is forgotten: at
    each decision some are looked at, in turn."""

    def __init__(self) -> None:
        super().__init__()
        self._turn: Iterator[Key] = iter(())
        self._seen = 0

    def drop(self, limit_numbers: Collection[int]) -> None:
        """All of these limits' counters."""
        for key in [key for key in self if _number(key) in limit_numbers]:
            del self[key]

    def names(self, limit_numbers: Collection[int]) -> Iterator[tuple[int, str]]:
        """Of these limits' counters, with the limit's number."""
        for key in self:
            number, name = (key, "") if isinstance(key, int) else key
            if number in limit_numbers:
                yield number, name

    def forget_idle(self, now_ns: int) -> None:
        """Looks at one, and at more for each that has come since."""
        came = max(0, len(self) - self._seen)
        for _ in range(1 + _LOOKED_AT_FOR_EACH * came):
            key = next(self._turn, None)
            if key is None:
                self._turn = iter([*self])
                break
            counter = self.get(key)
            if counter is not None and counter.is_idle(now_ns):
                del self[key]
        self._seen = len(self)


def key_of(counter_id: CounterId) -> Key:
    limit_id, name = counter_id
    return (limit_id.int, name) if name else limit_id.int


def _number(key: Key) -> int:
    return key if isinstance(key, int) else key[0]
