from collections.abc import Iterator, Sequence
from typing import overload

from .admission import Counted, standing
from .limits import Counter, Standing


class Standings(Sequence[Standing]):
    """What is left of the limits that count a call, as of one moment. Worked out when somebody
    first asks: what an admission leaves is seldom told, since the answer comes with its settlement.
    """

    __slots__ = ("_counters", "_counting", "_now_ns", "_told")

    def __init__(
        self, counting: Sequence[Counted], counters: Sequence[Counter], now_ns: int
    ) -> None:
        self._counting = counting
        self._counters = counters
        self._now_ns = now_ns
        self._told: Sequence[Standing] | None = None

    def __len__(self) -> int:
        return len(self._counting)

    def __iter__(self) -> Iterator[Standing]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Standing: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Standing]: ...
    def __getitem__(self, index: int | slice) -> Standing | Sequence[Standing]:
        return self._all()[index]

    def _all(self) -> Sequence[Standing]:
        if self._told is None:
            pairs = zip(self._counting, self._counters, strict=True)
            self._told = [standing(each.limit, counter, self._now_ns) for each, counter in pairs]
        return self._told
