from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager

from ...application.ports.history import History, Past
from ...domain.admission import Ask, Reservation
from ...domain.limits import Limit
from ...domain.rebuild import Tally, first_place, tallies_of
from .ledger import MemoryLedger


class MemoryHistory:
    """What the memory's ledger has kept: a limit that is new counts the newest 10,000 calls of all
    keys, and none before them. Nothing of it outlives the process, so nothing is left over either.
    """

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    @asynccontextmanager
    async def past(
        self, limits: Sequence[Limit], now_ns: int, doubted: Collection[Ask] = ()
    ) -> AsyncIterator[Past]:
        del doubted  # there is no other process
        yield Past(settled={limit.id: list(self._counted(limit, now_ns)) for limit in limits})

    async def open(self, now_ns: int) -> Sequence[Reservation]:
        del now_ns
        return ()

    def _counted(self, limit: Limit, now_ns: int) -> Iterator[Tally]:
        first = first_place(limit, now_ns)
        for call in self._ledger.calls_of(limit.scope.id):
            for tally in tallies_of(limit, call):
                if tally.place >= first:
                    yield tally


_: type[History] = MemoryHistory
