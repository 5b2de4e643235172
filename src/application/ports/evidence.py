from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ...domain.verification import Difference, KeptCounter, KeptSums


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is kept, and what the ledger says of it, all of one moment. Of `counters`, those that
    are as they should be may be left out: there may be very many. `alone` is what stands by itself
    where it should have a counterpart. Of each kind, at most so many are told; `looked_at` is how
    many there were."""

    now_ns: int
    sums: Sequence[KeptSums] = ()
    counters: Sequence[KeptCounter] = ()
    alone: Sequence[Difference] = ()
    looked_at: Mapping[str, int] = field(default_factory=dict)


class Witness(Protocol):
    async def evidence(self) -> Evidence:
        """Changes nothing, and holds nobody up. Raises StoreUnavailable."""
        ...
