"""What is lost with a process comes back from the ledger: exactly, where it is known what each call
was admitted with, and forgiving nothing where it is not."""

from dataclasses import replace
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from langroute.domain.admission import CounterId
from langroute.domain.books import Books
from langroute.domain.cost_ledger import CostLedger
from langroute.domain.ids import RequestId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Counter, Limit
from langroute.domain.rate_window import RateWindow
from langroute.domain.rebuild import Tally, place_of, rebuilt, tallies
from lived import DAILY, SLOT_NS, START_NS, STEPS, Asks, Lived, Passes, S, Settles, Step


@given(steps=STEPS, claimed=st.booleans())
def test_counters_come_back_as_they_were(steps: list[Step], claimed: bool) -> None:
    lived = Lived().through(steps)
    for limit in lived.limits:
        again = lived.rebuilt(limit, claimed=claimed)
        for counter_id, counter in counters_of(lived, limit).items():
            expect_same(again.pop(counter_id, limit.fresh()), counter, lived.now_ns)
        assert not again


@given(steps=STEPS)
@example([Asks(0, 30, None, "a1"), Passes(50 * S), Settles(0, 20), Passes(11 * S)])
def test_where_only_the_ledger_is_left_nothing_is_forgiven(steps: list[Step]) -> None:
    lived = Lived().through(steps)
    for limit in lived.limits:
        again = lived.rebuilt(limit, known=False)
        for counter_id, counter in counters_of(lived, limit).items():
            found = again.get(counter_id, limit.fresh())
            if isinstance(counter, CostLedger):
                expect_same(found, counter, lived.now_ns)
            for later_ns in moments(lived.now_ns):
                assert found.used(later_ns) >= counter.used(later_ns)


@given(steps=STEPS, more=STEPS)
def test_what_was_under_way_settles_as_if_nothing_had_happened(
    steps: list[Step], more: list[Step]
) -> None:
    lived = Lived().through(steps)
    counters: dict[CounterId, Counter] = {}
    for limit in lived.limits:
        counters |= lived.rebuilt(limit)
    fresh = {
        CounterId(limit.id, name): limit.fresh()
        for limit in lived.limits
        for name in ("", "ann", "bob")
    }
    books = Books(counters={**fresh, **counters}, open=lived.books.open)
    reborn = replace(lived, books=books, over=list(lived.over)).through(more)
    lived.through(more)
    assert [told(entry) for entry, _ in reborn.over] == [told(entry) for entry, _ in lived.over]
    assert [r.claims for r in reborn.books.open.values()] == [
        r.claims for r in lived.books.open.values()
    ]


def test_a_correction_gives_back_where_it_was_taken() -> None:
    lived = Lived().through([Asks(0, 30, None, "a1"), Settles(0, 30)])
    (budget,) = [x for x in lived.limits if x.is_budget and x.window == DAILY]
    (tally,) = tallies(budget, lived.over[0][0])
    back = replace(tally, amount=-12)
    (counter,) = rebuilt(budget, [tally, back], [], lived.now_ns).values()
    assert counter.used(lived.now_ns) == 18


def told(entry: LedgerEntry) -> LedgerEntry:
    """But for its id, which is thrown."""
    return replace(entry, request_id=RequestId(UUID(int=0)))


def counters_of(lived: Lived, limit: Limit) -> dict[CounterId, Counter]:
    found = lived.books.counters.items()
    return {each: counter for each, counter in found if each.limit_id == limit.id}


def expect_same(found: Counter, counter: Counter, now_ns: int) -> None:
    for later_ns in moments(now_ns):
        assert found.used(later_ns) == counter.used(later_ns)
        assert found.wait_ns(60, 7, later_ns) == counter.wait_ns(60, 7, later_ns)
        assert found.reset_ns(later_ns) == counter.reset_ns(later_ns)
    if isinstance(counter, CostLedger) and counter.used(now_ns):
        assert isinstance(found, CostLedger)
        assert (found.spent, found.reserved) == (counter.spent, counter.reserved)
    elif isinstance(counter, RateWindow):
        assert isinstance(found, RateWindow)
        assert found.length_ns == counter.length_ns


def moments(now_ns: int) -> list[int]:
    slots = [now_ns + number * SLOT_NS for number in (0, 1, 40, 100, 199, 249, 250, 251)]
    return [*slots, *(now_ns + seconds * S for seconds in (3, 7, 8, 1800, 3600, 3615, 86_400))]


def test_a_place_is_where_a_counter_would_put_it() -> None:
    for limit in Lived().limits:
        place, _ = limit.fresh().admit(1, 1, START_NS + 123)
        assert place == place_of(limit, START_NS + 123)


def test_a_clock_that_was_set_back_forgives_nothing() -> None:
    (budget,) = [x for x in Lived().limits if x.is_budget and x.window == DAILY]
    tomorrow = place_of(budget, START_NS + 86_400 * S)
    (counter,) = rebuilt(budget, [Tally(place=tomorrow, amount=12)], [], START_NS).values()
    assert counter.used(START_NS) == 12
    assert counter.used(START_NS + 86_400 * S) == 12
