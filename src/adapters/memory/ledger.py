from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from ...application.ports.ledger import (
    LedgerCorrections,
    LedgerReports,
    LedgerWriter,
    SpendLine,
    SpendQuery,
    in_order,
)
from ...domain.charges import NO_CHARGE, Charge, charge_of
from ...domain.corrections import BookedCall, Correction, belated
from ...domain.ids import KeyId, RequestId
from ...domain.ledger import LedgerEntry
from .calls_by_scope import CallsByScope

_KEPT = 10_000
# Callers make up names: of models, where a route is a wildcard, of end users, of tags. Beyond so
# many, new ones share a line.
_HEADINGS = 10_000
_OTHER = "(other)"
_NS_PER_S = 10**9


class _Heading(NamedTuple):
    key: str
    team: str
    organization: str
    end_user: str
    model: str
    provider: str
    tag: str


class MemoryLedger:
    """For a gateway that is embedded without a database. Nothing outlives the process.

    The newest calls are kept. Spend of all time is exact however many there were; spend between two
    moments, and by day, is that of the calls kept.
    """

    def __init__(self, *, kept: int = _KEPT, headings: int = _HEADINGS) -> None:
        self._kept = kept
        self._headings = headings
        self._calls: OrderedDict[RequestId, BookedCall] = OrderedDict()
        self._by_scope = CallsByScope()
        self._totals: dict[_Heading, Charge] = {}
        self._corrected: Callable[[Collection[UUID]], None] = lambda _: None

    def tells(self, corrected: Callable[[Collection[UUID]], None]) -> None:
        """It hears of each correction: whose call it was."""
        self._corrected = corrected

    def record(self, entry: LedgerEntry) -> None:
        present = self._calls.get(entry.request_id)
        if present is not None:
            correction = belated(present, entry)
            if correction is not None:
                self._add(present, correction)
            return
        self._calls[entry.request_id] = BookedCall(entry=entry)
        self._by_scope.add(entry)
        if len(self._calls) > self._kept:
            _, oldest = self._calls.popitem(last=False)
            self._by_scope.remove(oldest.entry)
        self._charge(entry, charge_of(entry))

    def has_room(self) -> bool:
        return True

    async def call(self, request_id: RequestId) -> BookedCall | None:
        return self._calls.get(request_id)

    def calls(self) -> Iterable[BookedCall]:
        """All that are kept."""
        return self._calls.values()

    def calls_of(self, scope: UUID) -> Iterable[BookedCall]:
        """Those kept of a key, a team or an organization."""
        return (self._calls[request_id] for request_id in self._by_scope.of(scope))

    async def post(self, correction: Correction) -> bool:
        request_id = correction.entry.request_id
        call = self._calls.get(request_id)
        if call is None or correction.number != len(call.corrections) + 1:
            return False
        self._add(call, correction)
        return True

    async def spend(self, query: SpendQuery) -> Sequence[SpendLine]:
        sums: dict[str, Charge] = {}
        for name, charge in self._charges(query):
            sums[name] = sums.get(name, NO_CHARGE) + charge
        return in_order((SpendLine.of(name, charge) for name, charge in sums.items()), query.by)

    async def entries(self, key_id: KeyId | None, limit: int) -> Sequence[LedgerEntry]:
        entries = (call.entry for call in self._calls.values())
        found = (entry for entry in entries if key_id is None or entry.key_id == key_id)
        return sorted(found, key=lambda e: (e.at_ns, e.request_id), reverse=True)[:limit]

    def _add(self, call: BookedCall, correction: Correction) -> None:
        self._calls[call.entry.request_id] = call.with_(correction)
        self._charge(call.entry, charge_of(correction))
        entry = call.entry
        whose = (entry.key_id, entry.team_id, entry.organization_id)
        self._corrected([each for each in whose if each is not None])

    def _charge(self, entry: LedgerEntry, charge: Charge) -> None:
        heading = _heading(entry)
        if heading not in self._totals and len(self._totals) >= self._headings:
            heading = heading._replace(model=_OTHER, end_user=_OTHER, tag=_OTHER)
        self._totals[heading] = self._totals.get(heading, NO_CHARGE) + charge

    def _charges(self, query: SpendQuery) -> Iterable[tuple[str, Charge]]:
        """Each under its name, those that the query is about."""
        told = _told(query).items()
        if query.by != "day" and query.from_ns is None and query.until_ns is None:
            for heading, charge in self._totals.items():
                if told <= heading._asdict().items():
                    yield getattr(heading, query.by), charge
            return
        for call in self._calls.values():
            heading = _heading(call.entry)
            if told <= heading._asdict().items() and _is_within(call.entry, query):
                name = _day(call.entry) if query.by == "day" else getattr(heading, query.by)
                yield name, charge_of(call.entry)
                for correction in call.corrections:
                    yield name, charge_of(correction)


def _heading(entry: LedgerEntry) -> _Heading:
    return _Heading(
        key=str(entry.key_id),
        team=str(entry.team_id or ""),
        organization=str(entry.organization_id or ""),
        end_user=entry.end_user or "",
        model=entry.model,
        provider=entry.provider or "",
        tag=entry.tag or "",
    )


def _told(query: SpendQuery) -> Mapping[str, str]:
    """As headings have it."""
    ids = {name.removesuffix("_id"): str(id_) for name, id_ in query.ids.items()}
    return {**ids, **query.names}


def _is_within(entry: LedgerEntry, query: SpendQuery) -> bool:
    if query.from_ns is not None and entry.at_ns < query.from_ns:
        return False
    return query.until_ns is None or entry.at_ns < query.until_ns


def _day(entry: LedgerEntry) -> str:
    return datetime.fromtimestamp(entry.at_ns // _NS_PER_S, UTC).date().isoformat()


_: type[LedgerWriter] = MemoryLedger
_reports: type[LedgerReports] = MemoryLedger
_corrections: type[LedgerCorrections] = MemoryLedger
