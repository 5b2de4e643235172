from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.errors import InvalidRequest
from ...domain.ids import KeyId
from ...domain.ledger import LedgerEntry
from ..ports.ledger import GROUPINGS, LedgerReports, SpendLine, SpendQuery

MAX_ENTRIES = 1000


@dataclass(frozen=True, slots=True)
class ReportSpend:
    """Open to administrators. What was spent, by whom or for what; and the calls themselves. Raises
    InvalidRequest."""

    reports: LedgerReports

    async def __call__(self, query: SpendQuery) -> Sequence[SpendLine]:
        if query.by not in GROUPINGS:
            raise InvalidRequest(f"'by' must be one of {', '.join(GROUPINGS)}.", param="by")
        from_ns, until_ns = query.from_ns, query.until_ns
        if from_ns is not None and until_ns is not None and from_ns >= until_ns:
            raise InvalidRequest("'until' must be later than 'from'.", param="until")
        return await self.reports.spend(query)

    async def entries(self, key_id: KeyId | None = None, limit: int = 100) -> Sequence[LedgerEntry]:
        """The newest calls first."""
        return await self.reports.entries(key_id, max(1, min(limit, MAX_ENTRIES)))
