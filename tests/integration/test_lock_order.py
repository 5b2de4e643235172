"""Whoever locks several rows does so in one order, so that nobody waits for another in turn."""

import asyncio
from collections.abc import Awaitable
from dataclasses import replace

import asyncpg

from admitting import CLOCK, a_call
from langroute.adapters.postgres.admission import PostgresAdmission
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.limits import PostgresLimits
from langroute.adapters.postgres.organizations import PostgresOrganizations
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.domain.ids import TeamId
from langroute.domain.keys import VirtualKey
from langroute.domain.limits import Limit, Limits, Measure, Sliding
from langroute.domain.organizations import Team
from postgres_fixtures import type_in
from samples import ENTROPY, new_key

_WAITS = """
    select exists (
        select from pg_stat_activity where pg_backend_pid() = any(pg_blocking_pids(pid))
    )
"""
_COUNTER = "select from langroute.counters where limit_id = $1 for update nowait"
_KEY = "select from langroute.virtual_keys where id = $1 for no key update nowait"


async def test_a_limit_that_is_set_again_waits_for_its_recount_without_its_counters(
    database: Database,
) -> None:
    """As those do who make counters anew: first the note, then the counters."""
    key = await _a_key(database)
    limit = _of_the_key(key, 7)
    limits = PostgresLimits(database)
    await limits.set(limit)
    await limits.lift(limit.scope, limit.id)
    await _counted(database, key, limit)

    await _waits_without(
        database,
        limits.set(limit),
        held=("select from langroute.recounts where limit_id = $1 for update", limit.id),
        free=(_COUNTER, limit.id),
    )


async def test_all_counters_that_a_change_of_a_key_forgets_are_locked_in_one_order(
    database: Database,
) -> None:
    key = await _a_key(database)
    (usual, *_) = key.limits.of(key.scope)
    later = next(
        limit for limit in (_of_the_key(key, s) for s in range(1, 100)) if limit.id > usual.id
    )
    await PostgresLimits(database).set(later)
    await _counted(database, key, usual, later)
    await type_in(database, "delete from langroute.recounts")

    await _waits_without(
        database,
        PostgresKeys(database).change(
            key.id, lambda key: replace(key, limits=Limits(), further_limits=())
        ),
        held=(_COUNTER, usual.id),
        free=(_COUNTER, later.id),
    )


async def test_keys_leave_a_team_in_the_order_in_which_their_totals_are_added_to(
    database: Database,
) -> None:
    team = Team(id=TeamId(ENTROPY.uuid()), name="research")
    await PostgresOrganizations(database).put_team(team)
    first, last = sorted((new_key(), new_key()), key=lambda key: key.id)
    for key in (last, first):
        await PostgresKeys(database).put(replace(key, team=team, revoked_at_ns=CLOCK.now_ns()))

    await _waits_without(
        database,
        PostgresOrganizations(database).remove_team(team.id),
        held=(_KEY, first.id),
        free=(_KEY, last.id),
    )


async def _a_key(database: Database) -> VirtualKey:
    key = new_key()
    await PostgresKeys(database).put(key)
    return key


def _of_the_key(key: VirtualKey, seconds: int) -> Limit:
    window = Sliding(seconds=seconds)
    return Limit(scope=key.scope, measure=Measure.TOKENS, amount=10**9, window=window)


async def _counted(database: Database, key: VirtualKey, *limits: Limit) -> None:
    admission = PostgresAdmission(database, CLOCK, within_s=60)
    await admission.admit(a_call(key.id), limits)
    await admission.aclose()


async def _waits_without(
    database: Database,
    waiting: Awaitable[object],
    *,
    held: tuple[str, object],
    free: tuple[str, object],
) -> None:
    """As long as somebody holds the one row, who waits for it does not hold the other one."""
    connection: asyncpg.Connection[asyncpg.Record] = await database.connect()
    try:
        async with (
            asyncio.timeout(60),
            asyncio.TaskGroup() as tasks,
            connection.transaction(),
        ):
            await connection.execute(*held)
            tasks.create_task(_until(waiting))
            while not await connection.fetchval(_WAITS):
                await asyncio.sleep(0.01)
            await connection.execute(*free)
    finally:
        await connection.close()


async def _until(done: Awaitable[object]) -> None:
    await done
