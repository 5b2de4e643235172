"""The ledger's months: made ahead, dropped when they are old, and nothing is lost between them."""

import asyncio
import secrets
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.evidence import PostgresWitness
from langroute.adapters.postgres.history import settled_of
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_corrections import PostgresCorrections
from langroute.adapters.postgres.ledger_reports import PostgresReports
from langroute.adapters.postgres.limits import PostgresLimits
from langroute.adapters.postgres.migrate import downgrade, migrate
from langroute.adapters.postgres.organizations import PostgresOrganizations
from langroute.adapters.postgres.partitions import PostgresPartitions
from langroute.adapters.postgres.reservations import PostgresReservations
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.application.ledger.verify_ledger import VerifyLedger
from langroute.application.ports.ledger import GROUPINGS, SpendQuery
from langroute.domain.ids import TeamId
from langroute.domain.ledger import LedgerEntry
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import Team
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.usage import TokenUsage
from langroute.entrypoints.lifecycle import open_container
from langroute.entrypoints.settings import load_settings
from langroute.entrypoints.times import to_ns
from postgres_fixtures import Databases, type_in
from samples import CLOCK, ENTROPY, SECOND_NS, a_reservation, new_entry, new_key

_IN_MONTHS = """
    insert into langroute.ledger (
        request_id, key_id, at, duration_ns, model, outcome, attempts, streamed,
        input_tokens, output_tokens, cost_usd, priced, estimated
    )
    select gen_random_uuid(), gen_random_uuid(),
        timestamptz '2024-01-31 23:30:00Z' + number * interval '11 days',
        number, 'm', 'succeeded', 1, false, number, 2 * number, number / 1000.0,
        number % 3 <> 0, number % 4 = 0
    from generate_series(0, 40) as numbers (number)
"""
_KEPT = """
    select request_id, key_id, at, duration_ns, model, outcome, input_tokens, output_tokens,
        cost_usd, priced, estimated
    from langroute.ledger order by request_id
"""
# What the days' sums must be.
_DRIFT = """
    with summed as (
        select (at at time zone 'UTC')::date as day, key_id, team_id, organization_id,
            model, coalesce(provider, '') as provider, coalesce(tag, '') as tag,
            count(*) filter (where number = 0) as calls, sum(cost_usd) as cost_usd
        from langroute.ledger group by 1, 2, 3, 4, 5, 6, 7
    ), kept as (
        select day, key_id, team_id, organization_id, model, provider, tag, calls, cost_usd
        from langroute.rollups
    )
    (select * from summed except select * from kept)
    union all (select * from kept except select * from summed)
"""


async def test_what_was_in_the_ledger_is_moved_up_and_down_and_up_again(
    empty_database: Database,
) -> None:
    engine = empty_database.engine
    await migrate(engine, "0006")
    await type_in(empty_database, _IN_MONTHS)
    before = await _fetch(empty_database, _KEPT)
    assert len(before) == 41

    await migrate(engine, "0007")
    assert await _fetch(empty_database, _KEPT) == before
    assert await _fetch(empty_database, _DRIFT) == []
    assert await _fetch(empty_database, "select from langroute.ledger_default") == []
    await downgrade(engine, "0006")
    assert await _fetch(empty_database, _KEPT) == before
    await migrate(engine)

    assert await _fetch(empty_database, _KEPT) == before
    assert await _fetch(empty_database, _DRIFT) == []
    (total,) = await PostgresReports(empty_database).spend(SpendQuery(by="model"))
    assert (total.calls, total.cost) == (41, Money.from_usd("0.820"))


async def test_without_corrections_a_call_costs_what_it_came_to(empty_database: Database) -> None:
    engine = empty_database.engine
    await migrate(engine)
    entry = new_entry(usage=TokenUsage(input=9, output=8), cost=Money(100), priced=False)
    async with PostgresLedger(empty_database) as ledger:
        ledger.record(entry)
    corrections = PostgresCorrections(empty_database)
    call = await corrections.call(entry.request_id)
    assert call is not None
    usage = TokenUsage(input=1, output=10)
    correction = call.corrected(usage=usage, cost=Money(40), reason="r", posted_at_ns=entry.at_ns)
    assert await corrections.post(correction)

    await downgrade(engine, "0006")
    (row,) = await _fetch(empty_database, _KEPT)
    assert (row["input_tokens"], row["output_tokens"], row["priced"]) == (1, 10, True)
    assert row["cost_usd"] == Money(40).usd
    await migrate(engine)

    (kept,) = await PostgresReports(empty_database).entries(None, 10)
    assert (kept.usage, kept.cost) == (usage, Money(40))


async def test_an_entry_outside_of_all_months_is_kept_and_moved_once_there_is_its_own(
    database: Database,
) -> None:
    far = new_entry(at_ns=_ns(2031, 5, 20), cost=Money(5))
    past = new_entry(at_ns=_ns(2019, 2, 28), cost=Money(7))
    await _record(database, far, past)
    assert await _in_partition(database, "ledger_default") == 2

    made = await _fetch(
        database, "select langroute.ensure_partitions('2031-05-31 23:59Z', '2031-06-01 00:00Z')"
    )

    assert made[0][0] == 2
    assert await _in_partition(database, "ledger_2031_05") == 1
    assert await _in_partition(database, "ledger_default") == 1
    found = await PostgresReports(database).entries(None, 10)
    assert found == [far, past]
    await _record(database, far, past)  # again
    assert await PostgresReports(database).entries(None, 10) == found


async def test_the_months_ahead_are_there_and_made_only_once(database: Database) -> None:
    partitions = PostgresPartitions(database, None)
    before = await _partitions(database)
    now = datetime.now(UTC)
    ahead = f"ledger_{now.year + now.month // 12}_{now.month % 12 + 1:02d}"
    assert {f"ledger_{now:%Y_%m}", ahead} <= before

    await asyncio.gather(*(partitions.make_ahead() for _ in range(4)))

    after = await _partitions(database)
    assert before <= after
    await partitions.make_ahead()
    assert await _partitions(database) == after


async def test_months_are_made_while_others_write(databases: Databases) -> None:
    async with databases.url() as url:
        node, other = Database(url), Database(url)
        entries = [
            new_entry(at_ns=_ns(2032, 1 + number % 12, 3) + number * 1000) for number in range(600)
        ]
        async with PostgresLedger(node) as ledger:
            for entry in entries:
                ledger.record(entry)
            for month in range(1, 13):
                await type_in(
                    other,
                    f"select langroute.ensure_partitions('2032-{month:02d}-01Z',"
                    f" '2032-{month:02d}-02Z')",
                )
        (count,) = await _fetch(node, "select count(*) from langroute.ledger")
        assert count[0] == 600
        assert await _in_partition(node, "ledger_default") == 0
        assert await _fetch(node, _DRIFT) == []
        await node.aclose()
        await other.aclose()


async def test_old_months_are_dropped_whole_but_for_those_with_an_open_call(
    database: Database,
) -> None:
    await type_in(database, "select langroute.ensure_partitions('2021-01-01Z', '2021-04-01Z')")
    open_one = a_reservation(at_ns=_ns(2021, 2, 5))
    settled = a_reservation(at_ns=_ns(2021, 3, 5))
    reservations = PostgresReservations(database)
    reservations.start()
    reservations.hold(open_one)
    reservations.hold(settled)
    await reservations.aclose()
    present = new_entry()
    await _record(
        database,
        new_entry(at_ns=_ns(2021, 1, 5), cost=Money(1)),
        new_entry(at_ns=_ns(2021, 2, 6), cost=Money(2)),
        new_entry(at_ns=settled.ask.at_ns, request_id=settled.ask.request_id, cost=Money(3)),
        present,
    )
    before = await PostgresReports(database).spend(SpendQuery())

    await PostgresPartitions(database, 12).drop_old()

    gone = {"ledger_2021_01", "ledger_2021_03", "reservations_2021_01", "reservations_2021_03"}
    there = await _partitions(database)
    assert not gone & there
    assert {"ledger_2021_02", "reservations_2021_02"} <= there
    entries = await PostgresReports(database).entries(None, 10)
    assert [entry.cost for entry in entries] == [present.cost, Money(2)]
    # What was spent is known all the same.
    assert await PostgresReports(database).spend(SpendQuery()) == before


async def test_what_never_begins_anew_has_counted_months_that_are_dropped(
    database: Database,
) -> None:
    """By the key, team and organization, by model, tag and end user; with corrections."""
    key, team = new_key(), Team(id=TeamId(ENTROPY.uuid()), name="a team")
    await PostgresKeys(database).put(key)
    await PostgresOrganizations(database).put_team(team)
    total = Limit(scope=key.scope, measure=Measure.MONEY, amount=10**15, window=FOR_GOOD)
    limits = [
        total,
        replace(total, measure=Measure.REQUESTS),
        replace(total, measure=Measure.TOKENS, model="gpt-*"),
        replace(total, scope=team.scope, tag="*"),
        replace(total, scope=team.scope, measure=Measure.TOKENS, end_user="*", tag="*"),
    ]
    monthly = replace(total, window=Period(every=Every.MONTH))
    for limit in limits:
        await PostgresLimits(database).set(limit)
    await type_in(database, "select langroute.ensure_partitions('2021-01-01Z', '2021-03-01Z')")
    made = [
        new_entry(
            key_id=key.id,
            team_id=team.id,
            at_ns=at_ns,
            model=model,
            tag=tag,
            end_user=end_user,
            cost=Money(number + 10**13),
        )
        for number, (at_ns, model, tag, end_user) in enumerate(
            product(
                (_ns(2021, 1, 5), _ns(2021, 2, 6), CLOCK.now_ns()),
                ("gpt-5", "other"),
                (None, "a"),
                (None, "ann", "böb"),
            )
        )
    ]
    await _record(database, *made)
    await _correct(database, *made)
    before = await _counted(database, *limits, monthly)
    assert {name for limit_id, name in before if limit_id == limits[-1].id} == {"ann\0a", "böb\0a"}
    assert before[limits[1].id, ""] == len(made)

    await PostgresPartitions(database, 12).drop_old()

    assert len(await PostgresReports(database).entries(None, 100)) == len(made) // 3
    assert await _counted(database, *limits, monthly) == before
    assert (await VerifyLedger([PostgresWitness(database, 900.0)])()).differences == []


async def _counted(database: Database, *limits: Limit) -> dict[tuple[UUID, str], int]:
    counted: dict[tuple[UUID, str], int] = defaultdict(int)
    async with database.reading() as connection:
        found = await settled_of(connection, limits, CLOCK.now_ns(), 900 * SECOND_NS)
    for limit_id, tallies in found.items():
        for tally in tallies:
            counted[limit_id, tally.name] += tally.amount
    return counted


async def test_budgets_for_good_tell_models_and_tags_apart_however_long_they_are(
    database: Database,
) -> None:
    """What they have counted is told from the sums, where long names are cut off."""
    key = new_key()
    models = ["m", "m" * 199, "m" * 200, "m" * 210, "m" * 209 + "x", "other"]
    tags = [None, "t", "t" * 200, "t" * 230, "t" * 231]
    entries = [
        new_entry(key_id=key.id, model=model, tag=tag, cost=Money(3**place))
        for place, (model, tag) in enumerate(product(models, tags))
    ]
    async with PostgresLedger(database) as ledger:
        for entry in entries:
            ledger.record(entry)
    for narrowed in ({"model": "*x"}, {"model": "m*"}, {"tag": "*"}, {"model": "m*", "tag": "t*"}):
        for named in (*entries[:1], *entries[8:9]):
            exact = {name: getattr(named, name) or "none" for name in narrowed}
            for names in (narrowed, exact):
                limit = Limit(
                    scope=key.scope,
                    measure=Measure.MONEY,
                    amount=1,
                    window=FOR_GOOD,
                    model=names.get("model"),
                    tag=names.get("tag"),
                )
                expected: dict[tuple[UUID, str], int] = defaultdict(int)
                for entry in entries:
                    name = limit.counts(model=entry.model, end_user=None, tag=entry.tag)
                    if name is not None:
                        expected[limit.id, name] += entry.cost.pico
                assert await _counted(database, limit) == expected


async def test_nothing_is_dropped_unless_that_is_set(database: Database) -> None:
    await type_in(database, "select langroute.ensure_partitions('2001-01-01Z', '2001-01-02Z')")

    await PostgresPartitions(database, None).drop_old()

    assert "ledger_2001_01" in await _partitions(database)


async def test_months_that_are_to_be_kept_are_kept(database: Database) -> None:
    now = datetime.now(UTC)
    years, month = divmod(now.year * 12 + now.month - 1 - 2, 12)
    kept = f"ledger_{years}_{month + 1:02d}"
    years, month = divmod(now.year * 12 + now.month - 1 - 3, 12)
    too_old = f"ledger_{years}_{month + 1:02d}"
    await type_in(
        database, "select langroute.ensure_partitions(now() - interval '5 months', now())"
    )

    await PostgresPartitions(database, 2).drop_old()

    there = await _partitions(database)
    assert kept in there
    assert too_old not in there


async def test_the_sums_by_day_are_those_of_the_ledger_whoever_writes_it(
    databases: Databases,
) -> None:
    async with databases.url() as url:
        nodes = [Database(url) for _ in range(3)]
        keys = [new_entry().key_id for _ in range(5)]
        teams = [None, TeamId(ENTROPY.uuid()), TeamId(ENTROPY.uuid())]
        start_ns = new_entry().at_ns
        entries = [
            new_entry(
                at_ns=start_ns - number * 3_600 * SECOND_NS,
                key_id=keys[number % 5],
                team_id=teams[number % 3],
                tag=(None, "a", "b" * 5_000)[number % 3],
                model=f"m{number % 4}",
                provider=None if number % 7 == 0 else "p",
                end_user=f"u{number % 2}",
                priced=number % 5 != 0,
                estimated=number % 6 == 0,
                cost=Money(number),
            )
            for number in range(300)
        ]
        await asyncio.gather(
            _record(nodes[0], *entries),
            _record(nodes[1], *reversed(entries)),
            _correct(nodes[2], *entries[::7]),
        )
        await _correct(nodes[0], *entries[::5])

        reports = PostgresReports(nodes[0])
        before_all: dict[str, Any] = {"from_ns": start_ns - 400 * 3_600 * SECOND_NS + 1_000}
        for by in GROUPINGS:
            from_days = await reports.spend(SpendQuery(by=by))
            from_calls = await reports.spend(SpendQuery(by=by, **before_all))
            assert [(line.name[:200], line.calls) for line in from_calls] == [
                (line.name, line.calls) for line in from_days
            ]
            assert [replace(line, name="") for line in from_calls] == [
                replace(line, name="") for line in from_days
            ]
        for node in nodes:
            await node.aclose()


async def _correct(database: Database, *entries: LedgerEntry) -> None:
    corrections = PostgresCorrections(database)
    for entry in entries:
        call = await corrections.call(entry.request_id)
        if call is not None:  # it may not be written yet
            correction = call.corrected(
                usage=TokenUsage(output=3),
                cost=call.cost + Money(5),
                reason="r",
                posted_at_ns=entry.at_ns,
            )
            assert await corrections.post(correction)


@pytest.mark.parametrize("table", ["ledger", "reservations"])
@pytest.mark.parametrize("change", ["update {} set at = now()", "delete from {}", "truncate {}"])
async def test_nobody_changes_the_ledger_by_way_of_a_partition(
    database: Database, table: str, change: str
) -> None:
    for partition in [p for p in await _partitions(database) if p.startswith(table)]:
        with pytest.raises(asyncpg.RestrictViolationError, match="only ever added to"):
            await type_in(database, change.format(f"langroute.{partition}"))


async def _record(database: Database, *entries: LedgerEntry) -> None:
    async with PostgresLedger(database) as ledger:
        for entry in entries:
            ledger.record(entry)


def _ns(year: int, month: int, day: int) -> int:
    return to_ns(datetime(year, month, day, 12, tzinfo=UTC))


async def _partitions(database: Database) -> set[str]:
    return {
        str(row["relname"])
        for row in await _fetch(
            database,
            "select relname from pg_inherits join pg_class on pg_class.oid = inhrelid "
            "where relnamespace = 'langroute'::regnamespace and relkind = 'r'",
        )
    }


async def _in_partition(database: Database, name: str) -> int:
    (row,) = await _fetch(database, f"select count(*) from only langroute.{name}")
    return int(row[0])


async def _fetch(database: Database, query: str) -> list[Any]:
    connection = await database.connect()
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()


async def test_a_gateway_drops_old_months_while_it_serves(database_url: str) -> None:
    """And not before: to look through them may take minutes."""
    database = Database(database_url)
    await type_in(database, "select langroute.ensure_partitions('2001-01-01Z', '2001-01-02Z')")
    settings = load_settings(
        database_url=database_url, encryption_key=secrets.token_hex(32), retention_months=2
    )
    async with open_container(settings):
        assert "ledger_2001_01" in await _partitions(database)
    async with open_container(settings, serving=True), asyncio.timeout(20):
        while "ledger_2001_01" in await _partitions(database):
            await asyncio.sleep(0.02)
    await database.aclose()
