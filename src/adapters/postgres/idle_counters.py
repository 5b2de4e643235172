from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_AT_ONCE = 1_000
_DAY_NS = 24 * 3600 * 10**9
_LONGEST_PERIOD_NS = 32 * _DAY_NS

# A row that is in use is left for another time, so this never waits, and nobody waits in turn.
_FORGET = text(f"""
    delete from langroute.counters where ctid = any(array(
        select ctid from langroute.counters
        where case
            when length_ns is not null then
                greatest(oldest + 250, numbers[cardinality(numbers)]) * (length_ns / 250)
                    + length_ns + {_DAY_NS} < langroute.now_ns()
                and greatest(oldest, cardinality(numbers)) > 0
            when ends_ns = 0 then
                began_ns > 0 and began_ns + {_LONGEST_PERIOD_NS + _DAY_NS} < langroute.now_ns()
            else ends_ns + {_DAY_NS} < langroute.now_ns()
        end
        limit {_AT_ONCE}
        for update skip locked
    ))
""")  # noqa: S608
# Corrections of calls of this month may still want them.
_FORGET_CLAIMS = text("delete from langroute.later_claims where at < now() - interval '100 days'")


# Locked in the order in which everybody does.
_FORGET_THESE = text("""
    with gone as (
        select limit_id, name from langroute.counters
        where limit_id = any(cast(:ids as uuid[]))
        order by limit_id, name
        for update
    )
    delete from langroute.counters counter using gone
    where counter.limit_id = gone.limit_id and counter.name = gone.name
""")


async def forget_counters(connection: AsyncConnection, limit_ids: Sequence[UUID]) -> None:
    """All that these limits have. Who needs one is given what the ledger says."""
    if limit_ids:
        await connection.execute(_FORGET_THESE, {"ids": list(limit_ids)})


# By then every gateway has heard of a limit, also one that had lost its connection.
_RECOUNT_LATER = text("""
    with needless as (
        delete from langroute.recounts where limit_id in (
            select limit_id from langroute.recounts
            where due < now() - interval '1 minute'
                and limit_id <> all(cast(:ids as uuid[]))
                and not exists (
                    select from langroute.counters counter
                    where counter.limit_id = recounts.limit_id
                )
            limit 1000
            for update skip locked
        )
    )
    insert into langroute.recounts (limit_id, due)
    select unnest(cast(:ids as uuid[])), now() + interval '10 seconds'
    on conflict (limit_id) do update set due = excluded.due
""")
_DUE = text("""
    delete from langroute.recounts where limit_id in (
        select limit_id from langroute.recounts where due <= now() for update skip locked
    )
    returning limit_id
""")


async def recount_later(connection: AsyncConnection, limit_ids: Sequence[UUID]) -> None:
    """Limits that are new. A gateway that has not heard of one yet does not count for it: what it
    has admitted is counted when the counters are made anew, at the next `forget_idle`. Nobody calls
    that where Postgres does not count: of limits without counters nothing is kept for long.

    To be called before `forget_counters`, as `forget_idle` takes them in that order, too."""
    if limit_ids:
        await connection.execute(_RECOUNT_LATER, {"ids": sorted(limit_ids)})


async def forget_idle(connection: AsyncConnection) -> int:
    """Counters in which nothing has come for so long that nothing is left to count, and that no
    call under way can have a claim on. How many: the next thousand at the most. And those that are
    to be made anew."""
    await connection.execute(_FORGET_CLAIMS)
    await forget_counters(connection, (await connection.execute(_DUE)).scalars().all())
    return (await connection.execute(_FORGET)).rowcount
