from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_AT_ONCE = 1_000
_DAY_NS = 24 * 3600 * 10**9
_LONGEST_PERIOD_NS = 32 * _DAY_NS

# A row that is in use is left for another time, so this never waits, and nobody waits in turn.
_FORGET = text(f"""
    delete from langroute.counters where ctid = any(array(
        select ctid from langroute.counters
        where name <> '' and case
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


async def forget_idle(connection: AsyncConnection) -> int:
    """Counters of end users and tags who have not come for so long that nothing is left to count,
    and that no call under way can have a claim on. How many: the next thousand at the most."""
    await connection.execute(_FORGET_CLAIMS)
    return (await connection.execute(_FORGET)).rowcount
