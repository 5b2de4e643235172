from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from ...domain.admission import Ask, Reservation
from ...domain.ids import RequestId
from ...domain.ledger import LedgerEntry
from ...domain.limits import Limit
from ...domain.rebuild import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What was written down by one moment.

    `settled` is what each limit (by its id) counts of the entries that are written, corrections
    included; `waiting` are the entries of this process that are not written yet: none is in both,
    and none is missing. `over` are those of the doubted calls that are settled. `position` is that
    of the last correction among them: see PostedCorrections.
    """

    settled: Mapping[UUID, Sequence[Tally]] = field(default_factory=dict)
    waiting: Sequence[LedgerEntry] = ()
    over: Collection[RequestId] = ()
    position: int = 0


class History(Protocol):
    """What was counted, told from the ledger: so that a restart forgives nothing, and a new limit
    counts what was before it. Both raise StoreUnavailable."""

    def past(
        self, limits: Sequence[Limit], now_ns: int, doubted: Collection[Ask] = ()
    ) -> AbstractAsyncContextManager[Past]:
        """For each limit, since its window or period began.

        As long as it is held, nothing more that this process records is written: use it without
        waiting for anything. `doubted` are calls of other processes, which may have settled them.
        """
        ...

    async def open(self, now_ns: int) -> Sequence[Reservation]:
        """The calls that no process has settled so far, those whose lease has run out included."""
        ...
