from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from ...application.ports.ledger import LedgerReports, LedgerWriter, SpendLine, SpendQuery
from ...domain.ids import KeyId, RequestId
from ...domain.ledger import LedgerEntry

_KEPT = 10_000
# A wildcard route lets callers make up names of models. Beyond so many, new ones share a line.
_HEADINGS = 10_000
_OTHER = "(other)"

_T = TypeVar("_T")


class _Heading(NamedTuple):
    key: str
    model: str
    provider: str


class MemoryLedger:
    """For a gateway that is embedded without a database. Nothing outlives the process.

    The newest entries are kept. Spend of all time is exact however many there were; spend between
    two moments is that of the entries kept.
    """

    def __init__(self, *, kept: int = _KEPT, headings: int = _HEADINGS) -> None:
        self._kept = kept
        self._headings = headings
        self._entries: OrderedDict[RequestId, LedgerEntry] = OrderedDict()
        self._totals: dict[_Heading, SpendLine] = {}

    def record(self, entry: LedgerEntry) -> None:
        if entry.request_id in self._entries:
            return
        self._entries[entry.request_id] = entry
        if len(self._entries) > self._kept:
            self._entries.popitem(last=False)
        heading, line = _charge(entry)
        if heading not in self._totals and len(self._totals) >= self._headings:
            heading = heading._replace(model=_OTHER)
        _add(self._totals, heading, line)

    def has_room(self) -> bool:
        return True

    async def spend(self, query: SpendQuery) -> Sequence[SpendLine]:
        lines: dict[str, SpendLine] = {}
        for heading, line in self._charges(query):
            if query.key_id is None or heading.key == str(query.key_id):
                _add(lines, getattr(heading, query.by), line)
        named = (replace(line, name=name) for name, line in lines.items())
        return sorted(named, key=lambda line: (-line.cost.pico, line.name))

    async def entries(self, key_id: KeyId | None, limit: int) -> Sequence[LedgerEntry]:
        found = (e for e in self._entries.values() if key_id is None or e.key_id == key_id)
        return sorted(found, key=lambda e: (e.at_ns, e.request_id), reverse=True)[:limit]

    def _charges(self, query: SpendQuery) -> Iterable[tuple[_Heading, SpendLine]]:
        if query.from_ns is None and query.until_ns is None:
            return self._totals.items()
        return (_charge(entry) for entry in self._entries.values() if _is_within(entry, query))


def _is_within(entry: LedgerEntry, query: SpendQuery) -> bool:
    if query.from_ns is not None and entry.at_ns < query.from_ns:
        return False
    return query.until_ns is None or entry.at_ns < query.until_ns


def _charge(entry: LedgerEntry) -> tuple[_Heading, SpendLine]:
    heading = _Heading(key=str(entry.key_id), model=entry.model, provider=entry.provider or "")
    return heading, SpendLine(
        name="",
        calls=1,
        prompt_tokens=entry.usage.prompt_tokens,
        completion_tokens=entry.usage.completion_tokens,
        cost=entry.cost,
        unpriced_calls=int(not entry.priced),
        estimated_calls=int(entry.estimated),
    )


def _add(lines: dict[_T, SpendLine], heading: _T, more: SpendLine) -> None:
    there = lines.get(heading)
    lines[heading] = (
        more
        if there is None
        else SpendLine(
            name="",
            calls=there.calls + more.calls,
            prompt_tokens=there.prompt_tokens + more.prompt_tokens,
            completion_tokens=there.completion_tokens + more.completion_tokens,
            cost=there.cost + more.cost,
            unpriced_calls=there.unpriced_calls + more.unpriced_calls,
            estimated_calls=there.estimated_calls + more.estimated_calls,
        )
    )


_: type[LedgerWriter] = MemoryLedger
_reports: type[LedgerReports] = MemoryLedger
