"""What stores decide that have a ledger behind them: as the pure `Books` do, where a limit that is
new has counted what was before."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from langroute.domain.admission import (
    Ask,
    CounterId,
    Reservation,
    counted,
    decide,
    standing,
)
from langroute.domain.books import Books
from langroute.domain.ids import RequestId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Counter, Limit, Refusal, Standing
from langroute.domain.rebuild import claim_on, first_place, rebuilt, tallies

Over = Mapping[RequestId, LedgerEntry]
NOTHING: Over = {}


@dataclass(slots=True)
class Oracle:
    """`reserved` are calls as they were admitted, `over` the entries of those that are settled."""

    books: Books = field(default_factory=Books)
    reserved: dict[RequestId, Reservation] = field(default_factory=dict)
    over: dict[RequestId, LedgerEntry] = field(default_factory=dict)
    # By their ids, whose they are.
    _met: dict[UUID, UUID] = field(default_factory=dict)
    _lost: dict[UUID, UUID] = field(default_factory=dict)

    def admit(self, ask: Ask, limits: Sequence[Limit], now_ns: int) -> Reservation | Refusal:
        """Limits that count it have to be met before."""
        decision, self.books = self.books.admit(ask, limits, now_ns)
        if isinstance(decision, Reservation):
            self.reserved[ask.request_id] = decision
        return decision

    def foresee(self, ask: Ask, limits: Sequence[Limit], now_ns: int) -> Refusal | None:
        counting = counted(ask, limits)
        counters = [self._counter(each.limit, each.counter_id) for each in counting]
        decision, _ = decide(ask, counting, counters, now_ns)
        return decision if isinstance(decision, Refusal) else None

    def standings(self, ask: Ask, limits: Sequence[Limit], now_ns: int) -> list[Standing]:
        return [
            standing(each.limit, self._counter(each.limit, each.counter_id), now_ns)
            for each in counted(ask, limits)
        ]

    def settle(self, entry: LedgerEntry, now_ns: int) -> None:
        changed, self.books = self.books.settle(entry.request_id, entry.usage, entry.cost, now_ns)
        assert changed
        self.over[entry.request_id] = entry

    def meet(
        self, limits: Iterable[Limit], now_ns: int, *, back_ns: int = 0, waiting: Over = NOTHING
    ) -> None:
        """Those that are new to the store, which has them from the ledger as they were `back_ns`
        ago. `waiting` are calls that it takes for over, too, before their settlement has reached
        it."""
        for limit in limits:
            if limit.id not in self._met:
                self._meet(limit, now_ns, back_ns, waiting)
                self._met[limit.id] = limit.scope.id

    def drop(self, limit_ids: Collection[UUID]) -> None:
        """Their counters are gone, and what calls hold of them: they are new when they are met."""
        for known in (self._met, self._lost):
            for limit_id in known.keys() & limit_ids:
                del known[limit_id]
        left = {c: held for c, held in self.books.counters.items() if c.limit_id not in limit_ids}
        self.books = Books(
            counters=left,
            open={call: _without(held, limit_ids) for call, held in self.books.open.items()},
        )

    def drop_missed(self, ask: Ask, limits: Iterable[Limit]) -> None:
        """Those of its scopes that a call comes without."""
        given = {limit.id for limit in limits}
        self.drop([limit_id for limit_id in self.known_of(ask) if limit_id not in given])

    def drop_all(self) -> None:
        self.drop({counter.limit_id for counter in self.books.counters} | {*self._met, *self._lost})

    def known_of(self, ask: Ask) -> list[UUID]:
        """The limits that were met, or lost, of a call's scopes."""
        scopes = {ask.key_id, ask.team_id, ask.organization_id}
        return [id_ for id_, scope in {**self._met, **self._lost}.items() if scope in scopes]

    def lose(self, limit_ids: Collection[UUID] | None = None) -> None:
        """A store's memory, of these or of all: what it is told again has to come to the same."""
        for limit_id in [*self._met] if limit_ids is None else self._met.keys() & limit_ids:
            self._lost[limit_id] = self._met.pop(limit_id)

    def drop_lost(self) -> None:
        """What a store is told again of these is not as it was."""
        self.drop([*self._lost])

    def forget(self, entries: Iterable[LedgerEntry]) -> None:
        """Those of calls that were counted, and that were lost before they were written."""
        for entry in entries:
            call = entry.request_id
            del self.over[call]
            held = replace(self.reserved[call], claims=())
            self.books = replace(self.books, open={**self.books.open, call: held})
        self.drop_all()

    def _counter(self, limit: Limit, counter_id: CounterId) -> Counter:
        return self.books.counters.get(counter_id) or limit.fresh()

    def _meet(self, limit: Limit, now_ns: int, back_ns: int, waiting: Over) -> None:
        as_of_ns = now_ns - back_ns
        over = {**self.over, **waiting}
        told = (
            tally
            for call, entry in over.items()
            for tally in tallies(limit, entry, self.reserved[call])
        )
        counted_now = [each for each in told if each.place >= first_place(limit, as_of_ns)]
        claims = {
            call: claim
            for call in self.books.open
            if call not in over and (claim := claim_on(limit, self.reserved[call]))
        }
        again = rebuilt(limit, counted_now, claims.values(), as_of_ns)
        if self._lost.pop(limit.id, None):
            for counter_id, counter in self.books.counters.items():
                if counter_id.limit_id == limit.id:
                    found = again.get(counter_id) or limit.fresh()
                    assert standing(limit, found, now_ns) == standing(limit, counter, now_ns)
        self.drop([limit.id])
        held = {
            call: replace(each, claims=(*each.claims, claims[call])) if call in claims else each
            for call, each in self.books.open.items()
        }
        self.books = Books(counters={**self.books.counters, **again}, open=held)


def _without(held: Reservation, limit_ids: Collection[UUID]) -> Reservation:
    claims = tuple(each for each in held.claims if each.counter.limit_id not in limit_ids)
    return replace(held, claims=claims)
