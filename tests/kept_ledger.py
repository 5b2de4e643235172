"""A ledger that outlives the gateways of a test, and is written when the test says so: for those
that do not count where their ledger is."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from langroute.application.ports.history import History, Past
from langroute.domain.admission import Ask, Reservation
from langroute.domain.corrections import BookedCall
from langroute.domain.ids import RequestId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit
from langroute.domain.rebuild import Tally, first_place, tallies


@dataclass(slots=True)
class KeptLedger:
    """Reservations, and the entries that are written."""

    held: dict[RequestId, Reservation] = field(default_factory=dict)
    entries: dict[RequestId, LedgerEntry] = field(default_factory=dict)

    def under_way(self) -> list[Reservation]:
        return [held for call, held in self.held.items() if call not in self.entries]

    def counted(self, limit: Limit, now_ns: int) -> list[Tally]:
        first = first_place(limit, now_ns)
        return [
            tally
            for call, entry in self.entries.items()
            for tally in tallies(limit, entry, self.held[call])
            if tally.place >= first
        ]

    async def booked(self, request_id: RequestId) -> BookedCall | None:
        entry = self.entries.get(request_id)
        return None if entry is None else BookedCall(entry=entry)


@dataclass(slots=True)
class KeptHistory:
    """What one gateway is told of the ledger; `waiting` is what it has not written yet."""

    ledger: KeptLedger
    waiting: list[LedgerEntry] = field(default_factory=list)

    @asynccontextmanager
    async def past(
        self, limits: Sequence[Limit], now_ns: int, doubted: Collection[Ask] = ()
    ) -> AsyncIterator[Past]:
        yield Past(
            settled={limit.id: self.ledger.counted(limit, now_ns) for limit in limits},
            waiting=list(self.waiting),
            over={ask.request_id for ask in doubted} & self.ledger.entries.keys(),
        )

    async def open(self, now_ns: int) -> Sequence[Reservation]:
        del now_ns
        return self.ledger.under_way()

    def write(self) -> None:
        self.ledger.entries.update((entry.request_id, entry) for entry in self.waiting)
        self.waiting.clear()


_: type[History] = KeptHistory
