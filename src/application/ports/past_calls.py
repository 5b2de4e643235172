from collections.abc import Sequence
from typing import Protocol

from ...domain.past_calls import PastCall


class PastCalls(Protocol):
    """What the ledger has of the calls that were asked for between two moments, in Unix
    nanoseconds, the end exclusive. Both raise StoreUnavailable, and change nothing."""

    async def count(self, from_ns: int, until_ns: int, most: int) -> int:
        """How many there are. Beyond so many, they are not counted."""
        ...

    async def page(
        self, from_ns: int, until_ns: int, after: PastCall | None, size: int
    ) -> Sequence[PastCall]:
        """The next ones behind `after`, in the order of `PastCall.place`, each with its
        corrections, and with what it asked for where that is kept."""
        ...
