from collections.abc import Sequence
from uuid import UUID

from ...application.ports.charged_calls import ChargedCalls, ChargedQuery
from ...domain.corrections import BookedCall
from .ledger import MemoryLedger


class MemoryChargedCalls:
    """Of the calls that the ledger keeps, which are the newest ones."""

    def __init__(self, ledger: MemoryLedger) -> None:
        self._ledger = ledger

    async def page(
        self, query: ChargedQuery, after: BookedCall | None, size: int
    ) -> Sequence[BookedCall]:
        found = [
            call
            for call in self._ledger.calls()
            if (call.entry.provider, call.entry.upstream_model) == (query.provider, query.model)
            and query.from_ns <= call.entry.at_ns < query.until_ns
            and (after is None or _place(call) > _place(after))
        ]
        return sorted(found, key=_place)[:size]


def _place(call: BookedCall) -> tuple[int, UUID]:
    return call.entry.at_ns, call.entry.request_id


_: type[ChargedCalls] = MemoryChargedCalls
