from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...domain.admission import Reservation
from ...domain.corrections import Correction


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """`held` is what the corrected call was admitted with, where that is still known."""

    position: int
    correction: Correction
    held: Reservation | None


class PostedCorrections(Protocol):
    """All corrections, in the order in which they became part of the ledger: whoever sees one sees
    all of a lower position. For those who count what the ledger says somewhere else, each once."""

    async def after(self, position: int, size: int) -> Sequence[Posted]:
        """The next ones. Raises StoreUnavailable."""
        ...
