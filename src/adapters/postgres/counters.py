"""What calls used takes the place of what was reserved for them."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from ...domain.admission import Ask
from .tables.calls import ALL_TOKENS
from .times import to_timestamp

_SETTLE_WRITTEN = text(f"""
    select langroute.settle(
        cast(:now_ns as bigint),
        array_agg(at order by number),
        array_agg(request_id order by number),
        array_agg(number > 0 order by number),
        array_agg({ALL_TOKENS}::numeric order by number),
        array_agg(cost_usd * 1000000000000 order by number)
    )
    from langroute.ledger where at = :at and request_id = :id
    having count(*) > 0
""")  # noqa: S608
# 0008 has the number, too: `langroute.settle` shares it.
_NOTHING_SETTLES = text("select pg_advisory_xact_lock(7205759403792795)")


async def settle_if_written(connection: AsyncConnection, ask: Ask, now_ns: int | None) -> None:
    """For a call whose reservation comes after its entry. Wants `nothing_settles`."""
    at = to_timestamp(ask.at_ns)
    written = {"now_ns": now_ns, "at": at, "id": ask.request_id}
    await connection.execute(_SETTLE_WRITTEN, written)


async def nothing_settles(connection: AsyncConnection) -> None:
    """Until the end of the transaction. What was settled before is in the ledger for it to see, and
    what comes later will find what it has written."""
    await connection.execute(_NOTHING_SETTLES)
