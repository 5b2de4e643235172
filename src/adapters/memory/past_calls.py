from collections.abc import Iterator, Sequence
from itertools import islice

from ...application.ports.past_calls import PastCalls
from ...domain.past_calls import PastCall
from .ledger import MemoryLedger


class MemoryPastCalls:
    """Of the calls that the ledger keeps, which are the newest ones."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    async def count(self, from_ns: int, until_ns: int, most: int) -> int:
        return sum(1 for _ in islice(self._between(from_ns, until_ns), most))

    async def page(
        self, from_ns: int, until_ns: int, after: PastCall | None, size: int
    ) -> Sequence[PastCall]:
        found = (
            past
            for past in self._between(from_ns, until_ns)
            if after is None or past.place > after.place
        )
        return sorted(found, key=lambda past: past.place)[:size]

    def _between(self, from_ns: int, until_ns: int) -> Iterator[PastCall]:
        for call in self._ledger.calls():
            held = call.entry.held
            if from_ns <= call.entry.at_ns < until_ns:
                yield PastCall(call, None if held is None else held.ask)


_: type[PastCalls] = MemoryPastCalls
