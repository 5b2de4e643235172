"""What every History must tell: the counters that were lost, from what was written of the calls."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings

from langroute.adapters.memory.history import MemoryHistory
from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.postgres.history import PostgresHistory
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.application.ports.history import History
from langroute.application.ports.ledger import LedgerCorrections, LedgerWriter
from langroute.domain.admission import Reservation
from langroute.domain.corrections import BookedCall
from langroute.domain.cost_ledger import CostLedger
from langroute.domain.limits import Counter, Limit, Measure
from langroute.domain.money import Money
from langroute.domain.rebuild import claim_on, first_place, rebuilt, tallies_of
from langroute.domain.usage import TokenUsage
from lived import DAILY, SLOT_NS, STEPS, Asks, Lived, Passes, S, Settles, Step
from postgres_fixtures import Databases


@dataclass(frozen=True, slots=True)
class Kept:
    """`knows_bounds` is whether it is kept what calls were admitted with."""

    history: History
    ledger: LedgerWriter
    corrections: LedgerCorrections
    hold: Callable[[Reservation], None]
    written: Callable[[], Awaitable[None]]
    knows_bounds: bool

    async def write(self, lived: Lived) -> None:
        for entry, held in lived.over:
            self.hold(held)
            self.ledger.record(entry)
        for held in lived.books.open.values():
            self.hold(held)
        await self.written()

    async def rebuilt(self, lived: Lived, limits: Sequence[Limit]) -> list[dict[str, Counter]]:
        under_way = await self.history.open(lived.now_ns)
        async with self.history.past(limits, lived.now_ns) as past:
            assert list(past.waiting) == []
            found = []
            for limit in limits:
                claims = [claim for held in under_way if (claim := claim_on(limit, held))]
                counters = rebuilt(limit, past.settled.get(limit.id, ()), claims, lived.now_ns)
                found.append({each.name: counter for each, counter in counters.items()})
            return found


@pytest.fixture(params=["memory", "postgres"])
async def kept(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Kept]:
    if request.param == "memory":
        memory = MemoryLedger()
        history = MemoryHistory(memory)
        yield Kept(history, memory, memory, lambda _: None, _at_once, knows_bounds=False)
        return
    async with databases.migrated() as database, PostgresLedger(database) as ledger:
        reservations = PostgresReservations(database)
        reservations.start()

        async def written() -> None:
            await reservations.flush()
            await ledger.flush()

        yield Kept(
            PostgresHistory(database, ledger.at_rest, 3600.0 * 48),
            ledger,
            PostgresCorrections(database),
            reservations.hold,
            written,
            knows_bounds=True,
        )
        await reservations.aclose()


async def _at_once() -> None:
    pass


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
async def test_counters_come_back_and_forgive_nothing(kept: Kept, steps: list[Step]) -> None:
    lived = Lived().through(steps)
    await kept.write(lived)
    if not kept.knows_bounds:
        lived = replace(lived, books=replace(lived.books, open={}))
    for limit, found in zip(lived.limits, await kept.rebuilt(lived, lived.limits), strict=True):
        expected = lived.rebuilt(limit, known=kept.knows_bounds)
        for counter_id, counter in expected.items():
            again = found.pop(counter_id.name, limit.fresh())
            for later_ns in (lived.now_ns + number * SLOT_NS for number in range(0, 255, 6)):
                assert again.used(later_ns) == counter.used(later_ns)
            if isinstance(counter, CostLedger) and counter.used(lived.now_ns):
                assert again == counter
        assert not found


async def test_corrections_are_counted(kept: Kept) -> None:
    lived = Lived().through([Asks(0, 30, "ann", "a1"), Passes(5 * S), Settles(0, 30)])
    await kept.write(lived)
    entry, held = lived.over[0]
    call = BookedCall(entry=entry)
    for tokens, later_s in ((10, 20), (44, 30)):
        correction = call.corrected(
            usage=TokenUsage(output=tokens),
            cost=Money(tokens),
            reason="the provider's bill",
            posted_at_ns=lived.now_ns + later_s * S,
        )
        assert await kept.corrections.post(correction)
        call = call.with_(correction)
    lived.through([Passes(31 * S)])
    found = await kept.rebuilt(lived, lived.limits)
    for limit, counters in zip(lived.limits, found, strict=True):
        known = held if kept.knows_bounds else None
        kept_tallies = [
            tally
            for tally in tallies_of(limit, call, known)
            if tally.place >= first_place(limit, lived.now_ns)
        ]
        expected = rebuilt(limit, kept_tallies, [], lived.now_ns)
        if limit.is_budget:
            assert [c.used(lived.now_ns) for c in counters.values()] == [44]
        for counter_id, counter in expected.items():
            again = counters.get(counter_id.name, limit.fresh())
            for later_ns in (lived.now_ns + number * SLOT_NS for number in range(0, 255, 6)):
                assert again.used(later_ns) == counter.used(later_ns)


async def test_a_call_that_waited_for_midnight_counts_in_the_new_day(kept: Kept) -> None:
    if not kept.knows_bounds:
        pytest.skip("where nobody knows when a call was admitted, it is when it was asked for")
    lived = Lived()
    (daily,) = [
        x for x in lived.limits if x.is_budget and x.window != lived.limits[6].window and not x.soft
    ]
    ends_ns = daily.fresh().reset_ns(lived.now_ns)
    assert ends_ns is not None
    lived.through([Passes(ends_ns - 1000), Asks(0, 30, None, "a1")])
    (held,) = lived.books.open.values()
    late = tuple(
        claim._replace(place=lived.now_ns + 1000) if claim.counter.limit_id == daily.id else claim
        for claim in held.claims
    )
    held = replace(held, claims=late)
    lived.books = replace(lived.books, open={held.ask.request_id: held})
    lived.through([Settles(0, 12), Passes(2000)])
    lived.over = [(lived.over[0][0], held)]
    await kept.write(lived)
    (found,) = await kept.rebuilt(lived, [daily])
    assert [counter.used(lived.now_ns) for counter in found.values()] == [12]


async def test_what_was_spent_before_a_clock_was_set_back_counts_when_its_day_comes_again(
    kept: Kept,
) -> None:
    lived = Lived()
    (daily,) = (x for x in lived.limits if x.window == DAILY and x.is_budget)
    ends_ns = daily.fresh().reset_ns(lived.now_ns)
    assert ends_ns is not None
    lived.through([Passes(ends_ns), Asks(0, 30, None, "a1"), Settles(0, 12), Passes(-S)])
    await kept.write(lived)
    (found,) = await kept.rebuilt(lived, [daily])
    (counter,) = found.values()
    assert [counter.used(lived.now_ns), counter.used(lived.now_ns + S)] == [12, 12]


async def test_limits_that_nobody_has_used_have_no_counters(kept: Kept) -> None:
    lived = Lived()
    parallel = [limit for limit in lived.limits if limit.measure is Measure.PARALLEL]
    assert await kept.rebuilt(lived, lived.limits) == [{} for _ in lived.limits]
    assert await kept.rebuilt(lived, parallel) == [{}]
    assert await kept.rebuilt(lived, []) == []
