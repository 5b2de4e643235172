"""What every ledger must do."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from langroute.adapters.memory.ledger import MemoryLedger
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.application.ports.ledger import (
    GROUPINGS,
    LedgerCorrections,
    LedgerReports,
    LedgerWriter,
    SpendLine,
    SpendQuery,
)
from langroute.domain.corrections import BELATED, BookedCall
from langroute.domain.ids import KeyId, OrganizationId, TeamId
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.money import Money
from langroute.domain.units import Units
from langroute.domain.usage import TokenUsage
from postgres_fixtures import Databases
from samples import ENTROPY, SECOND_NS, new_entry


@dataclass(frozen=True, slots=True)
class Ledger:
    writer: LedgerWriter
    reports: LedgerReports
    corrections: LedgerCorrections
    written: Callable[[], Awaitable[None]]

    async def record(self, *entries: LedgerEntry) -> None:
        for entry in entries:
            self.writer.record(entry)
        await self.written()

    async def correct(self, entry: LedgerEntry, **to: Any) -> BookedCall:
        call = await self.corrections.call(entry.request_id)
        assert call is not None
        correction = call.corrected(
            **{"usage": call.usage, "cost": call.cost, "reason": "a test", **to},
            posted_at_ns=entry.at_ns + SECOND_NS,
        )
        assert await self.corrections.post(correction)
        return call.with_(correction)


@pytest.fixture(params=["memory", "postgres"])
async def ledger(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Ledger]:
    if request.param == "memory":
        memory = MemoryLedger()
        yield Ledger(memory, memory, memory, _at_once)
        return
    async with databases.migrated() as database, PostgresLedger(database) as postgres:
        yield Ledger(postgres, postgres, PostgresCorrections(database), postgres.flush)


async def _at_once() -> None:
    pass


async def test_an_entry_reads_back_as_it_was_recorded(ledger: Ledger) -> None:
    full = new_entry(
        usage=TokenUsage(
            input=1,
            cached_input=2,
            cache_write=3,
            cache_write_1h=10,
            service="priority",
            audio_input=4,
            output=5,
            reasoning=6,
            audio_output=7,
            image_input=8,
            image_output=9,
            cached_audio_input=11,
            cached_image_input=12,
            units=Units({"images:high:1024x1024": 2, "web_searches": 13}),
        ),
        cost=Money(10**24 + 1),
        error="it broke",
        outcome=Outcome.BROKEN_OFF,
        priced=False,
        estimated=True,
        team_id=TeamId(ENTROPY.uuid()),
        organization_id=OrganizationId(ENTROPY.uuid()),
        end_user="somebody",
        tag="search",
    )
    bare = new_entry(
        provider=None, upstream_model=None, first_byte_ns=None, attempts=0, streamed=False
    )

    await ledger.record(full, bare)

    assert await ledger.reports.entries(full.key_id, 10) == [full]
    assert await ledger.reports.entries(bare.key_id, 10) == [bare]


async def test_every_outcome_can_be_recorded(ledger: Ledger) -> None:
    await ledger.record(*(new_entry(outcome=outcome) for outcome in Outcome))

    found = await ledger.reports.entries(None, 100)
    assert {entry.outcome for entry in found} == set(Outcome)


async def test_an_entry_recorded_again_counts_once(ledger: Ledger) -> None:
    entry = new_entry()

    await ledger.record(entry, entry)
    await ledger.record(replace(entry, cost=Money(1)))

    (line,) = await ledger.reports.spend(SpendQuery())
    assert (line.calls, line.cost) == (1, entry.cost)
    assert await ledger.reports.entries(None, 10) == [entry]


async def test_what_is_not_sold_by_the_token_is_corrected_by_its_difference(
    ledger: Ledger,
) -> None:
    entry = new_entry(usage=TokenUsage(input=5, units=Units.of(web_searches=3, images=1)))
    await ledger.record(entry)
    used = TokenUsage(input=5, units=Units.of(web_searches=1, audio_seconds=9))

    corrected = await ledger.correct(entry, usage=used)

    difference = {"web_searches": -2, "images": -1, "audio_seconds": 9}
    assert corrected.corrections[0].usage.by_class == difference
    assert await ledger.corrections.call(entry.request_id) == corrected
    assert corrected.usage == used


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "later"])
async def test_a_call_that_was_taken_for_lost_comes_to_what_it_used(
    ledger: Ledger, at_once: bool
) -> None:
    """At the bound first, and then by a correction, which comes once."""
    lost = new_entry(outcome=Outcome.EXPIRED, usage=TokenUsage(output=100), estimated=True)
    ended = replace(
        lost,
        outcome=Outcome.SUCCEEDED,
        usage=TokenUsage(input=3, output=40),
        cost=Money(7),
        estimated=False,
    )
    if at_once:
        await ledger.record(lost, ended, ended, lost)
    else:
        await ledger.record(lost)
        await ledger.record(ended)
    await ledger.record(ended, lost)

    call = await ledger.corrections.call(lost.request_id)
    assert call is not None
    assert (call.entry, call.usage, call.cost) == (lost, ended.usage, Money(7))
    (correction,) = call.corrections
    assert (correction.reason, call.estimated) == (BELATED, False)
    (line,) = await ledger.reports.spend(SpendQuery())
    assert (line.calls, line.cost, line.completion_tokens) == (1, Money(7), 40)
    assert line.estimated_calls == 0


async def test_what_ended_is_not_lost_afterwards(ledger: Ledger) -> None:
    ended = new_entry()

    await ledger.record(ended, replace(ended, outcome=Outcome.EXPIRED, cost=Money(1)))

    call = await ledger.corrections.call(ended.request_id)
    assert call == BookedCall(entry=ended)


async def test_the_newest_entries_come_first_and_no_more_than_asked_for(ledger: Ledger) -> None:
    start_ns = new_entry().at_ns
    made = [new_entry(at_ns=start_ns + number * SECOND_NS) for number in range(4)]

    await ledger.record(made[2], made[0], made[3], made[1])

    assert await ledger.reports.entries(None, 3) == [made[3], made[2], made[1]]


async def test_spend_adds_up_under_each_heading_the_dearest_first(ledger: Ledger) -> None:
    one, two = KeyId(ENTROPY.uuid()), KeyId(ENTROPY.uuid())
    usage = TokenUsage(
        input=10, cache_write=1, image_input=20, output=5, audio_output=2, image_output=40
    )
    await ledger.record(
        new_entry(key_id=one, model="a", provider="x", usage=usage, cost=Money(10)),
        new_entry(key_id=one, model="b", provider="y", usage=usage, cost=Money(1), estimated=True),
        new_entry(key_id=two, model="a", provider=None, usage=usage, cost=Money(30), priced=False),
    )

    def line(name: str, calls: int, cost: int, unpriced: int, estimated: int) -> SpendLine:
        return SpendLine(
            name=name,
            calls=calls,
            prompt_tokens=31 * calls,
            completion_tokens=47 * calls,
            cost=Money(cost),
            unpriced_calls=unpriced,
            estimated_calls=estimated,
        )

    assert await ledger.reports.spend(SpendQuery()) == [
        line(str(two), 1, 30, 1, 0),
        line(str(one), 2, 11, 0, 1),
    ]
    assert await ledger.reports.spend(SpendQuery(by="model")) == [
        line("a", 2, 40, 1, 0),
        line("b", 1, 1, 0, 1),
    ]
    assert await ledger.reports.spend(SpendQuery(by="provider")) == [
        line("", 1, 30, 1, 0),
        line("x", 1, 10, 0, 0),
        line("y", 1, 1, 0, 1),
    ]
    assert await ledger.reports.spend(SpendQuery(by="model", key_id=one)) == [
        line("a", 1, 10, 0, 0),
        line("b", 1, 1, 0, 1),
    ]


async def test_spend_of_a_time_has_its_start_and_not_its_end(ledger: Ledger) -> None:
    start_ns = new_entry().at_ns
    await ledger.record(
        *(
            new_entry(at_ns=start_ns + number * 1_000, model=str(number), cost=Money(9 - number))
            for number in range(4)
        )
    )

    within = SpendQuery(by="model", from_ns=start_ns + 1_000, until_ns=start_ns + 3_000)

    assert [line.name for line in await ledger.reports.spend(within)] == ["1", "2"]


async def test_nothing_was_spent_at_first(ledger: Ledger) -> None:
    assert await ledger.reports.spend(SpendQuery()) == []
    assert await ledger.reports.entries(None, 10) == []
    assert ledger.writer.has_room()


DAY_NS = 24 * 3600 * SECOND_NS


async def test_spend_adds_up_by_whose_the_calls_are_and_by_day(ledger: Ledger) -> None:
    team, organization = TeamId(ENTROPY.uuid()), OrganizationId(ENTROPY.uuid())
    midnight_ns = new_entry().at_ns // DAY_NS * DAY_NS
    await ledger.record(
        new_entry(team_id=team, end_user="ann", tag="a", at_ns=midnight_ns - 1000, cost=Money(5)),
        new_entry(team_id=team, organization_id=organization, at_ns=midnight_ns, cost=Money(3)),
        new_entry(end_user="bob", tag="a", at_ns=midnight_ns + 1000, cost=Money(1)),
    )

    async def names(by: str, **given: Any) -> dict[str, int]:
        lines = await ledger.reports.spend(SpendQuery(by=by, **given))
        assert all(line.calls for line in lines)
        return {line.name: line.cost.pico for line in lines}

    assert await names("team") == {str(team): 8, "": 1}
    assert await names("organization") == {"": 6, str(organization): 3}
    assert await names("end_user") == {"ann": 5, "": 3, "bob": 1}
    assert await names("tag") == {"a": 6, "": 3}
    assert await names("tag", team_id=team) == {"a": 5, "": 3}
    assert await names("tag", organization_id=organization) == {"": 3}
    assert await names("team", tag="a") == {str(team): 5, "": 1}
    assert await names("team", tag="") == {str(team): 3}
    assert await names("tag", end_user="") == {"": 3}
    assert await names("end_user", end_user="ann", team_id=team) == {"ann": 5}
    assert await names("day", tag="a", from_ns=midnight_ns) == {_day(midnight_ns): 1}
    assert await names("key", model="another") == {}
    assert await names("key", tag="a\0") == {}
    yesterday, today = _day(midnight_ns - 1), _day(midnight_ns)
    by_day = await ledger.reports.spend(SpendQuery(by="day"))
    assert [(line.name, line.calls, line.cost.pico) for line in by_day] == [
        (yesterday, 1, 5),
        (today, 2, 4),
    ]
    assert await names("tag", from_ns=midnight_ns) == {"": 3, "a": 1}
    assert await names("tag", from_ns=midnight_ns, until_ns=midnight_ns + DAY_NS) == {
        "": 3,
        "a": 1,
    }
    assert await names("tag", until_ns=midnight_ns) == {"a": 5}


async def test_a_correction_is_a_further_entry_of_its_call(ledger: Ledger) -> None:
    entry = new_entry(usage=TokenUsage(input=100, output=50), cost=Money(1000))
    other = new_entry()
    await ledger.record(entry, other)

    first = await ledger.correct(entry, usage=TokenUsage(input=30, reasoning=7), cost=Money(400))
    second = await ledger.correct(entry, cost=Money(500), reason="not enough")

    found = await ledger.corrections.call(entry.request_id)
    assert found is not None
    assert found == second
    assert found.corrections[0] == first.corrections[0]
    assert (found.usage, found.cost) == (TokenUsage(input=30, reasoning=7), Money(500))
    assert [each.cost.pico for each in found.corrections] == [-600, 100]
    assert await ledger.corrections.call(other.request_id) == BookedCall(entry=other)
    assert set(await _entries(ledger)) == {entry.request_id, other.request_id}


async def test_reports_follow_a_correction_and_count_its_call_once(ledger: Ledger) -> None:
    entry = new_entry(
        usage=TokenUsage(input=100, output=50), cost=Money(0), priced=False, estimated=True
    )
    await ledger.record(entry)

    await ledger.correct(entry, usage=TokenUsage(input=30, output=60), cost=Money(400))
    await ledger.correct(entry, cost=Money(300))

    hour_ns = 3600 * SECOND_NS
    within: dict[str, Any] = {"from_ns": entry.at_ns - hour_ns, "until_ns": entry.at_ns + hour_ns}
    for by in GROUPINGS:
        for query in (SpendQuery(by=by), SpendQuery(by=by, **within)):
            (line,) = await ledger.reports.spend(query)
            assert replace(line, name="") == SpendLine(
                name="",
                calls=1,
                prompt_tokens=30,
                completion_tokens=60,
                cost=Money(300),
                unpriced_calls=0,
                estimated_calls=0,
            )


async def test_of_two_corrections_of_one_number_the_first_stays(ledger: Ledger) -> None:
    entry = new_entry(cost=Money(10))
    await ledger.record(entry)
    call = await ledger.corrections.call(entry.request_id)
    assert call is not None
    one, two = (
        call.corrected(usage=call.usage, cost=Money(cost), reason="x", posted_at_ns=entry.at_ns)
        for cost in (3, 4)
    )

    assert await ledger.corrections.post(one)
    assert not await ledger.corrections.post(two)

    assert await ledger.corrections.call(entry.request_id) == call.with_(one)
    (line,) = await ledger.reports.spend(SpendQuery())
    assert line.cost == Money(3)


async def test_a_call_that_was_never_recorded_is_not_there(ledger: Ledger) -> None:
    assert await ledger.corrections.call(new_entry().request_id) is None


async def _entries(ledger: Ledger) -> list[object]:
    return [entry.request_id for entry in await ledger.reports.entries(None, 10)]


def _day(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // SECOND_NS, UTC).date().isoformat()
