from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from langroute.adapters.memory.audit import MemoryAudit
from langroute.adapters.memory.catalogues import MemoryCatalogues
from langroute.adapters.system.actor import TaskActor
from langroute.application.ledger.re_rate import ReRate, ReRating
from langroute.application.ports.audit import ChangeQuery
from langroute.application.ports.charged_calls import ChargedCalls, ChargedQuery
from langroute.application.ports.ledger import LedgerCorrections
from langroute.domain.audit import Action
from langroute.domain.corrections import BookedCall, Correction
from langroute.domain.errors import InvalidRequest
from langroute.domain.ids import RequestId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.money import ZERO, Money
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates, Service
from langroute.domain.usage import TokenUsage
from samples import CLOCK, new_entry

QUERY = ChargedQuery(provider="openai", model="m", from_ns=0, until_ns=100)
USAGE = TokenUsage(input=10, output=1)


@dataclass
class Book:
    """The ledger, in a dictionary. `rival` is what somebody else corrects in between."""

    booked: dict[RequestId, BookedCall] = field(default_factory=dict)
    rival: Money | None = None

    def add(self, at_ns: int, cost: int, *, priced: bool = True, model: str = "m") -> LedgerEntry:
        entry = new_entry(
            at_ns=at_ns, usage=USAGE, cost=Money(cost), upstream_model=model, priced=priced
        )
        self.booked[entry.request_id] = BookedCall(entry=entry)
        return entry

    async def page(
        self, query: ChargedQuery, after: BookedCall | None, size: int
    ) -> Sequence[BookedCall]:
        behind = (0, 0) if after is None else (after.entry.at_ns, after.entry.request_id.int)
        found = sorted(
            (call.entry.at_ns, call.entry.request_id.int, call)
            for call in self.booked.values()
            if call.entry.upstream_model == query.model
            and query.from_ns <= call.entry.at_ns < query.until_ns
        )
        return [call for at_ns, number, call in found if (at_ns, number) > behind][:2]

    async def call(self, request_id: RequestId) -> BookedCall | None:
        return self.booked.get(request_id)

    async def post(self, correction: Correction) -> bool:
        call = self.booked[correction.entry.request_id]
        if self.rival is not None:
            cost, self.rival = self.rival, None
            other = call.corrected(usage=call.usage, cost=cost, reason="rival", posted_at_ns=1)
            call = self.booked[call.entry.request_id] = call.with_(other)
        if correction.number != len(call.corrections) + 1:
            return False
        self.booked[call.entry.request_id] = call.with_(correction)
        return True


_calls: type[ChargedCalls] = Book
_ledger: type[LedgerCorrections] = Book


def a_price(pico: int, from_ns: int = 0) -> DatedPrice:
    return DatedPrice(
        provider="openai",
        model="m",
        effective_from_ns=from_ns,
        price=ModelPrice(rates=Rates(input=Money(pico), output=Money(pico))),
    )


class Office:
    def __init__(self) -> None:
        self.book = Book()
        self.catalogues = MemoryCatalogues()
        actor = TaskActor()
        actor.become("somebody")
        self.audit = MemoryAudit(CLOCK, actor)
        self.re_rate = ReRate(
            calls=self.book,
            ledger=self.book,
            catalogues=self.catalogues,
            audit=self.audit,
            clock=CLOCK,
        )


async def test_each_call_costs_what_was_in_force_when_it_began() -> None:
    office = Office()
    first = office.book.add(10, 33)
    right = office.book.add(11, 22)
    later = office.book.add(60, 22)
    office.book.add(100, 1)
    office.book.add(20, 1, model="other")
    await office.catalogues.put(prices=[a_price(2), a_price(5, from_ns=50)])

    expected = ReRating(calls=3, changed=2, cost_before=Money(55), cost_after=Money(77))
    assert await office.re_rate(QUERY) == expected
    assert expected.difference == Money(22)
    assert all(not call.corrections for call in office.book.booked.values())
    assert await office.audit.changes(ChangeQuery()) == []  # nothing was applied

    assert await office.re_rate(QUERY, reason=" wrong price ", apply=True) == expected

    costs = [office.book.booked[e.request_id].cost for e in (first, right, later)]
    assert costs == [Money(22), Money(22), Money(55)]
    (correction,) = office.book.booked[first.request_id].corrections
    assert (correction.cost, correction.reason) == (Money(-11), "wrong price")
    assert correction.usage.by_class == {}
    assert not office.book.booked[right.request_id].corrections
    (note,) = await office.audit.changes(ChangeQuery(kind="ledger", name="openai/m"))
    assert (note.actor, note.action, note.reason) == ("somebody", Action.RE_RATED, "wrong price")
    assert note.after is not None
    assert note.after["calls"] == 2
    again = await office.re_rate(QUERY, reason="again", apply=True)
    assert (again.calls, again.changed) == (3, 0)


async def test_a_call_that_had_no_price_gets_the_one_that_is_on_record_now() -> None:
    office = Office()
    entry = office.book.add(10, 0, priced=False)

    assert await office.re_rate(QUERY) == ReRating(calls=1, unpriced=1)
    await office.catalogues.put(prices=[a_price(0)])
    done = await office.re_rate(QUERY, reason="priced late", apply=True)

    assert (done.changed, done.difference) == (1, ZERO)
    assert office.book.booked[entry.request_id].priced


async def test_a_service_keeps_its_price() -> None:
    office = Office()
    dear = Service("priority", ModelPrice(rates=Rates(input=Money(20), output=Money(20))))
    price = replace(a_price(2), price=replace(a_price(2).price, services=(dear,)))
    await office.catalogues.put(prices=[price])
    entry = office.book.add(10, 33)
    served = replace(entry, usage=replace(USAGE, service="priority"))
    office.book.booked[entry.request_id] = BookedCall(entry=served)

    for reason in ("once", "twice"):
        await office.re_rate(QUERY, reason=reason, apply=True)

    call = office.book.booked[entry.request_id]
    assert (call.cost, len(call.corrections)) == (Money(220), 1)


async def test_what_somebody_else_corrects_in_between_is_not_added_to() -> None:
    office = Office()
    entry = office.book.add(10, 33)
    await office.catalogues.put(prices=[a_price(2)])
    office.book.rival = Money(1000)

    await office.re_rate(QUERY, reason="wrong price", apply=True)

    call = office.book.booked[entry.request_id]
    assert (call.cost, len(call.corrections)) == (Money(22), 2)
    another = office.book.add(11, 33)
    office.book.rival = Money(22)
    done = await office.re_rate(QUERY, reason="wrong price", apply=True)
    assert (done.calls, done.changed) == (2, 0)
    assert len(office.book.booked[another.request_id].corrections) == 1


@pytest.mark.parametrize(
    ("query", "reason", "param"),
    [
        (QUERY, "", "reason"),
        (QUERY, "  ", "reason"),
        (QUERY, "x" * 1001, "reason"),
        (ChargedQuery(provider="p", model="m", from_ns=5, until_ns=5), "why", "until"),
    ],
)
async def test_what_makes_no_sense_is_refused(query: ChargedQuery, reason: str, param: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await Office().re_rate(query, reason=reason, apply=True)
    assert refused.value.param == param
