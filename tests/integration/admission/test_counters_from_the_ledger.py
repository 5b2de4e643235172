"""A limit that is set now has counted what was before it: what is in the ledger, and what is under
way."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import UUID

from sqlalchemy import text

from admitting import CLOCK, ENTROPY, MONTHLY, PRICE, a_call
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.evidence import PostgresWitness
from langroute.adapters.postgres.idle_counters import forget_idle
from langroute.adapters.postgres.ledger_rows import write
from langroute.adapters.postgres.limits import PostgresLimits
from langroute.adapters.postgres.organizations import PostgresOrganizations
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.adapters.system.clock import SystemClock
from langroute.application.ledger.verify_ledger import VerifyLedger
from langroute.domain.admission import Ask, Reservation
from langroute.domain.corrections import BookedCall
from langroute.domain.ids import RequestId, TeamId
from langroute.domain.ledger import Outcome
from langroute.domain.limits import MINUTE, Limit, Limits, Measure, Sliding
from langroute.domain.money import Money
from langroute.domain.organizations import Team, key_scope, team_scope
from langroute.domain.periods import FOR_GOOD, Period
from langroute.domain.usage import TokenUsage
from postgres_fixtures import type_in
from samples import entry_of, new_key

LONGEST_CALL_S = 900.0


@asynccontextmanager
async def an_admission(database: Database) -> AsyncIterator[PostgresAdmission]:
    admission = PostgresAdmission(
        database, CLOCK, within_s=60, longest_call_s=LONGEST_CALL_S, connections=2
    )
    try:
        yield admission
    finally:
        await admission.aclose()


@asynccontextmanager
async def a_shifted_admission(database: Database, at_ns: int) -> AsyncIterator[PostgresAdmission]:
    class Then(SystemClock):
        def now_ns(self) -> int:
            return at_ns

    admission = PostgresAdmission(database, Then(), within_s=60, now_ns=lambda: at_ns)
    try:
        yield admission
    finally:
        await admission.aclose()


def a_limit(
    key: UUID, measure: Measure, window: Sliding | Period = MINUTE, model: str | None = None
) -> Limit:
    return Limit(scope=key_scope(key), measure=measure, amount=10**30, window=window, model=model)


async def used(admission: PostgresAdmission, ask: Ask, *limits: Limit) -> list[int]:
    refusal, standings = await admission.foresee(ask, limits)
    assert refusal is None
    return [standing.used for standing in standings]


async def admitted(admission: PostgresAdmission, ask: Ask, *limits: Limit) -> Reservation:
    decision, _ = await admission.admit(ask, limits)
    assert isinstance(decision, Reservation)
    return decision


async def settled(database: Database, ask: Ask, tokens: int, pico: int) -> None:
    async with database.transaction() as connection:
        await write(connection, [entry_of(ask, TokenUsage(output=tokens), Money(pico))])


async def test_a_budget_that_is_set_in_mid_month_counts_the_month(database: Database) -> None:
    key = ENTROPY.uuid()
    async with an_admission(database) as admission:
        for _ in range(3):
            await settled(database, a_call(key), 5, 100)
        await settled(database, a_call(ENTROPY.uuid()), 5, 100)
        limits = [
            a_limit(key, Measure.MONEY, MONTHLY),
            a_limit(key, Measure.MONEY, FOR_GOOD),
            a_limit(key, Measure.TOKENS),
            a_limit(key, Measure.REQUESTS),
            a_limit(key, Measure.PARALLEL, FOR_GOOD),
            a_limit(key, Measure.MONEY, MONTHLY, model="another"),
        ]
        assert await used(admission, a_call(key), *limits) == [300, 300, 15, 3, 0]
        await admitted(admission, a_call(key), *limits)
        now = [300 + PRICE, 300 + PRICE, 22, 4, 1]
        assert await used(admission, a_call(key), *limits) == now


async def test_a_call_under_way_is_counted_at_its_bound_until_it_is_over(
    database: Database,
) -> None:
    key = ENTROPY.uuid()
    async with an_admission(database) as admission:
        call = a_call(key)
        await admitted(admission, call)
        limits = [
            a_limit(key, Measure.MONEY, MONTHLY),
            a_limit(key, Measure.TOKENS),
            a_limit(key, Measure.REQUESTS),
            a_limit(key, Measure.PARALLEL, FOR_GOOD),
        ]
        assert await used(admission, a_call(key), *limits) == [PRICE, 7, 1, 1]
        await settled(database, call, 2, 11)
        assert await used(admission, a_call(key), *limits) == [11, 2, 1, 0]


async def test_each_end_user_has_spent_what_the_ledger_says(database: Database) -> None:
    key = ENTROPY.uuid()
    each = Limit(
        scope=key_scope(key), measure=Measure.MONEY, amount=10**30, window=MONTHLY, end_user="*"
    )
    names = ["ann", "Zoë", "50%", "x" * 5_000, None]
    async with an_admission(database) as admission:
        for number, name in enumerate(names):
            await settled(database, replace(a_call(key), end_user=name), 1, number + 1)
        for number, name in enumerate(names[:-1]):
            ask = replace(a_call(key), end_user=name)
            assert await used(admission, ask, each) == [number + 1]
        nobody = replace(a_call(key), end_user="new")
        assert await used(admission, nobody, each) == [0]
        assert await used(admission, replace(nobody, end_user="a\0b"), each) == [0]


async def test_a_correction_counts_as_its_call_does(database: Database) -> None:
    key = ENTROPY.uuid()
    limits = [a_limit(key, Measure.MONEY, MONTHLY), a_limit(key, Measure.TOKENS)]
    async with an_admission(database) as admission:
        call = a_call(key)
        await admitted(admission, call, *limits)
        await settled(database, call, 7, 1_000)
        booked = BookedCall(entry=entry_of(call, TokenUsage(output=7), Money(1_000)))
        for tokens, pico in ((3, 400), (9, 2_000)):
            correction = booked.corrected(
                usage=TokenUsage(output=tokens),
                cost=Money(pico),
                reason="the provider said so",
                posted_at_ns=CLOCK.now_ns(),
            )
            booked = booked.with_(correction)
            async with database.transaction() as connection:
                await write(connection, [correction])
            assert await used(admission, a_call(key), *limits) == [pico, tokens]


async def test_what_settles_while_counters_are_made_is_counted_once(database: Database) -> None:
    key, team = ENTROPY.uuid(), ENTROPY.uuid()
    limits = [
        Limit(
            scope=scope,
            measure=measure,
            amount=10**30,
            window=FOR_GOOD,
            model=model,
        )
        for scope in (key_scope(key), team_scope(team))
        for measure in (Measure.MONEY, Measure.TOKENS, Measure.PARALLEL)
        for model in (None, "m", "*", "m*")
    ]
    async with an_admission(database) as one, an_admission(database) as other:
        calls = [a_call(key, team) for _ in range(40)]
        for call in calls:
            await admitted(one, call)

        async def settle_all() -> None:
            for call in calls:
                await settled(database, call, 2, 10)

        async def meet(admission: PostgresAdmission, in_order: list[Limit]) -> None:
            for limit in in_order:
                await admission.foresee(a_call(key, team), [limit])

        await asyncio.gather(settle_all(), meet(one, limits), meet(other, limits[::-1]))

        expected = {Measure.MONEY: 400, Measure.TOKENS: 80, Measure.PARALLEL: 0}
        found = await used(one, a_call(key, team), *limits)
        assert found == [expected[limit.measure] for limit in limits]


async def test_end_users_who_come_no_more_are_forgotten(database: Database) -> None:
    key = ENTROPY.uuid()
    limits = [
        Limit(scope=key_scope(key), measure=measure, amount=10**30, window=window, end_user="*")
        for measure, window in (
            (Measure.TOKENS, MINUTE),
            (Measure.MONEY, MONTHLY),
            (Measure.MONEY, FOR_GOOD),
        )
    ]
    today = CLOCK.now_ns()
    async with (
        a_shifted_admission(database, today - 40 * 24 * 3600 * 10**9) as before,
        an_admission(database) as admission,
    ):
        for name in ("ann", "bob"):
            await admitted(before, replace(a_call(key), end_user=name), *limits)
        await admitted(admission, replace(a_call(key), end_user="bob"), *limits)
        async with database.transaction() as connection:
            assert await forget_idle(connection) == 2
            assert await forget_idle(connection) == 0
        for name, tokens, for_good in (("ann", 0, 1), ("bob", 7, 2)):
            ask = replace(a_call(key), end_user=name)
            month = PRICE if name == "bob" else 0
            assert await used(admission, ask, *limits) == [tokens, month, for_good * PRICE]


async def test_counters_that_an_operator_deletes_are_made_anew(database: Database) -> None:
    key = ENTROPY.uuid()
    limits = [a_limit(key, Measure.MONEY, MONTHLY), a_limit(key, Measure.TOKENS)]
    async with an_admission(database) as admission:
        over, call = a_call(key), a_call(key)
        for each in (over, call):
            await admitted(admission, each, *limits)
        await settled(database, over, 1, 10)
        await type_in(database, "delete from langroute.counters")
        assert await used(admission, a_call(key), *limits) == [PRICE + 10, 8]
        await type_in(database, "delete from langroute.counters")
        await settled(database, call, 2, 20)
        assert await used(admission, a_call(key), *limits) == [30, 3]


async def counters_of(database: Database, limit: Limit) -> int:
    connection = await database.connect()
    try:
        return int(
            await connection.fetchval(
                "select count(*) from langroute.counters where limit_id = $1", limit.id
            )
        )
    finally:
        await connection.close()


async def test_a_limit_that_is_lifted_leaves_nothing_and_has_missed_nothing_when_set_again(
    database: Database,
) -> None:
    key = new_key()
    limits = PostgresLimits(database)
    budget = replace(a_limit(key.id, Measure.MONEY, FOR_GOOD), amount=10**21)
    by_user = replace(budget, end_user="*")
    ask = replace(a_call(key.id), end_user="ann")
    await PostgresKeys(database).put(key)
    async with an_admission(database) as admission:
        for limit in (budget, by_user):
            await limits.set(limit)
        first, long = replace(ask, request_id=RequestId(ENTROPY.uuid())), ask
        for each in (first, long):
            await admitted(admission, each, budget, by_user)
        await settled(database, first, 5, 100)
        assert await used(admission, ask, budget, by_user) == [100 + PRICE] * 2
        for limit in (budget, by_user):
            assert await limits.lift(limit.scope, limit.id)
            assert await counters_of(database, limit) == 0

        between, under_way = (replace(ask, request_id=RequestId(ENTROPY.uuid())) for _ in range(2))
        for each in (between, under_way):
            await admitted(admission, each)
        await settled(database, between, 5, 30)
        # A gateway that has not heard of it counts on.
        unheard = replace(ask, request_id=RequestId(ENTROPY.uuid()))
        await admitted(admission, unheard, budget, by_user)
        for limit in (budget, by_user):
            await limits.set(limit)
        for limit in (budget, by_user):
            assert await used(admission, ask, limit) == [100 + 30 + 3 * PRICE]
        await settled(database, long, 5, 1)
        await settled(database, under_way, 5, 1)
        for limit in (budget, by_user):
            assert await used(admission, ask, limit) == [100 + 30 + 1 + 1 + PRICE]
    assert (await VerifyLedger([PostgresWitness(database, LONGEST_CALL_S)])()).differences == []


async def test_what_gateways_admit_that_have_not_heard_of_a_limit_is_counted_in_the_end(
    database: Database,
) -> None:
    key = new_key(limits=Limits())
    await PostgresKeys(database).put(key)
    budget = replace(a_limit(key.id, Measure.MONEY, FOR_GOOD), amount=10**21)
    verify = VerifyLedger([PostgresWitness(database, LONGEST_CALL_S)])
    async with an_admission(database) as admission, an_admission(database) as unheard:
        await PostgresLimits(database).set(budget)
        await admitted(admission, a_call(key.id), budget)
        over, under_way = a_call(key.id), a_call(key.id)
        for call in (over, under_way):
            await admitted(unheard, call)
        await settled(database, over, 1, 50)
        assert await used(admission, a_call(key.id), budget) == [PRICE]
        assert (await verify()).differences == []

        await type_in(database, "update langroute.recounts set due = now()")
        async with database.transaction() as connection:
            await forget_idle(connection)
        assert await used(admission, a_call(key.id), budget) == [2 * PRICE + 50]
        await settled(database, under_way, 1, 7)
        assert await used(admission, a_call(key.id), budget) == [PRICE + 57]
        verdict = await verify()
        assert verdict.differences == []
        assert verdict.looked_at["counters"] == 1


async def test_a_call_that_ends_after_it_was_taken_for_lost_counts_what_it_used(
    database: Database,
) -> None:
    key = new_key()
    await PostgresKeys(database).put(key)
    budget = replace(a_limit(key.id, Measure.MONEY, FOR_GOOD), amount=10**21)
    await PostgresLimits(database).set(budget)
    _, tokens = key.limits.of(key.scope)
    async with an_admission(database) as admission:
        call = a_call(key.id)
        await admitted(admission, call, budget, tokens)
        ended = entry_of(call, TokenUsage(output=2), Money(30))
        lost = replace(ended, outcome=Outcome.EXPIRED, usage=call.usage_bound, cost=Money(PRICE))
        for entry in (lost, ended, lost, ended):
            async with database.transaction() as connection:
                await write(connection, [entry])
        assert await used(admission, a_call(key.id), budget, tokens) == [30, 2]
    await type_in(database, "delete from langroute.recounts")
    assert (await VerifyLedger([PostgresWitness(database, LONGEST_CALL_S)])()).differences == []


async def test_so_do_a_keys_own_limits_and_those_of_a_team_that_is_gone(
    database: Database,
) -> None:
    keys, organizations = PostgresKeys(database), PostgresOrganizations(database)
    key = new_key()
    await keys.put(key)
    _, tokens = key.limits.of(key.scope)
    team = Team(id=TeamId(ENTROPY.uuid()), name="a team")
    of_team = Limit(scope=team.scope, measure=Measure.TOKENS, amount=10**9)
    await organizations.put_team(replace(team, limits=(of_team,)))
    async with an_admission(database) as admission:
        call = a_call(key.id, team.id)
        await admitted(admission, call, tokens, of_team)
        await settled(database, call, 5, 1)
        none = Limits(requests_per_minute=60)
        await keys.change(key.id, lambda key: replace(key, limits=none))
        assert await counters_of(database, tokens) == 0
        await settled(database, a_call(key.id), 6, 1)
        await keys.change(key.id, lambda found: replace(found, limits=key.limits))
        assert await used(admission, a_call(key.id), tokens) == [11]
    assert await counters_of(database, of_team) == 1
    assert await organizations.remove_team(team.id)
    assert await counters_of(database, of_team) == 0


async def test_notes_of_new_limits_do_not_pile_up_where_nobody_counts_in_postgres(
    database: Database,
) -> None:
    key = new_key(limits=Limits())
    await PostgresKeys(database).put(key)
    old, counted, new = (
        replace(a_limit(key.id, Measure.TOKENS, Sliding(seconds=s)), amount=10**9)
        for s in (1, 2, 3)
    )
    limits = PostgresLimits(database)
    for limit in (old, counted):
        await limits.set(limit)
    async with an_admission(database) as admission:
        await admitted(admission, a_call(key.id), counted)
    await type_in(database, "update langroute.recounts set due = now() - interval '1 hour'")

    await limits.set(new)

    async with database.reading() as connection:
        noted = await connection.scalars(text("select limit_id from langroute.recounts"))
        assert set(noted) == {counted.id, new.id}
