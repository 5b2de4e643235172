"""Whoever looks for calls under way looks at those of the last minutes, however long the ledger."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from langroute.adapters.postgres import reservation_rows
from langroute.adapters.postgres.database import Database
from postgres_fixtures import type_in

COUNT = 20_000
KEY = UUID(int=1)
_FILL = (
    # As they are once their leases have run out.
    f"""
    alter table langroute.reservations disable trigger lengthen_lease;
    select langroute.ensure_partitions(now() - interval '3 months', now());
    insert into langroute.reservations (
        at, request_id, key_id, model, streamed, lease_until, input_bound, output_bound,
        cost_bound_usd, priced, claims, store
    )
    select at, gen_random_uuid(), '{KEY}', 'm', false, at + interval '12 minutes', 1, 1, 1, true,
        '[]', 'postgres'
    from (
        select now() - interval '15 minutes' - number * interval '30 seconds' as at
        from generate_series(1, {COUNT}) number
    ) calls;
    insert into langroute.ledger (
        at, request_id, key_id, duration_ns, model, outcome, attempts, streamed
    )
    select at, request_id, key_id, 1, model, 'succeeded', 1, streamed from langroute.reservations;
    insert into langroute.reservations (
        at, request_id, key_id, model, streamed, lease_until, input_bound, output_bound,
        cost_bound_usd, priced, claims, store
    )
    select now(), gen_random_uuid(), '{KEY}', 'm', false, now() + interval '12 minutes', 1, 1, 1,
        true, '[]', 'postgres'
    from generate_series(1, 3);
    """,
    "update langroute.sweeps set until = now() - interval '1 minute'",
)


async def test_calls_under_way_are_found_among_thousands_that_are_over(database: Database) -> None:
    await type_in(database, *_FILL)
    for analyzed in (False, True):
        if analyzed:
            await type_in(database, "analyze langroute.reservations", "analyze langroute.ledger")
        async with database.reading() as connection:
            assert len(await reservation_rows.unsettled(connection)) == 3
            assert len(await reservation_rows.unsettled(connection, [KEY])) == 3
            assert await reservation_rows.unsettled(connection, [UUID(int=2)]) == []
            assert await reservation_rows.lost(connection, None) == []
        assert await _rows_read(database) < 100


async def _rows_read(database: Database) -> int:
    """How many rows of any table were looked at in all."""
    async with database.reading() as connection:
        swept = (await connection.execute(text("select until from langroute.sweeps"))).scalar_one()
        query = str(
            reservation_rows.UNSETTLED.compile(
                dialect=postgresql.dialect()  # type: ignore[no-untyped-call]
            )
        ).replace("%(swept)s", f"'{swept.isoformat()}'")
        found = await connection.execute(text("explain (analyze, format json) " + query))
        plan = found.scalar_one()
    return _read_by(plan[0]["Plan"])


def _read_by(plan: dict[str, Any]) -> int:
    of_its_own = 0
    if "Scan" in plan["Node Type"]:
        rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
        of_its_own = int(rows * plan["Actual Loops"])
    return of_its_own + sum(map(_read_by, plan.get("Plans", ())))
