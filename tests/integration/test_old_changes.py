"""Changes of the audit log are deleted for their age, if that is set, and for nothing else."""

import asyncio
import secrets
from collections.abc import Sequence

import asyncpg
import pytest

from langroute.adapters.postgres.audit import PostgresAudit
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.old_changes import PostgresOldChanges
from langroute.application.ports.audit import ChangeQuery
from langroute.domain.audit import Action, Change
from langroute.entrypoints.lifecycle import open_container
from langroute.entrypoints.settings import load_settings
from postgres_fixtures import Databases, type_in

# With two months kept beside the present one.
_OLD = "date_trunc('month', now(), 'UTC') - interval '2 months' - interval '1 microsecond'"
_KEPT = "date_trunc('month', now(), 'UTC') - interval '2 months'"


def _written(name: str, at: str, count: int = 1) -> str:
    return f"""
        insert into langroute.audit (at, kind, name, action)
        select {at}, 'route', '{name}', 'created' from generate_series(1, {count})
    """


async def _changes(database: Database) -> Sequence[Change]:
    found = await PostgresAudit(database).changes(ChangeQuery(limit=1000))
    return [change for change in found if change.kind in {"route", "audit"}]


async def test_what_is_older_than_is_kept_is_deleted_some_at_a_time(database: Database) -> None:
    await type_in(database, _written("old", _OLD, 25), _written("kept", _KEPT, 3))
    old = PostgresOldChanges(database, 2, at_once=10)

    await old.forget()

    note, *kept = await _changes(database)
    assert [change.name for change in kept] == ["kept"] * 3
    assert (note.kind, note.name, note.action) == ("audit", "*", Action.REMOVED)
    assert note.after is not None
    (told,) = await _fetch(
        database,
        f"select ('{note.after['before']}')::timestamptz = {_KEPT}",
    )
    assert told[0]
    # Nothing is left of that month or before it, so nothing is noted again.
    await old.forget()
    assert await _changes(database) == [note, *kept]


async def test_what_comes_late_is_no_reason_to_note_it_again(database: Database) -> None:
    for _ in range(2):
        await type_in(database, _written("old", _OLD))
        await PostgresOldChanges(database, 2).forget()

    (note,) = await _changes(database)
    assert note.kind == "audit"


async def test_nothing_is_deleted_unless_that_is_set(database: Database) -> None:
    await type_in(database, _written("old", "timestamptz '2001-01-01Z'"))

    await PostgresOldChanges(database, None).forget()

    (change,) = await _changes(database)
    assert change.name == "old"


async def test_one_process_at_a_time_does_so(databases: Databases) -> None:
    async with databases.migrated() as database:
        await type_in(database, _written("old", _OLD))
        connection = await database.connect()
        try:
            async with connection.transaction():
                gone = await connection.fetchval("select langroute.forget_changes(now(), 1)")
                assert gone == 1
                await asyncio.wait_for(PostgresOldChanges(database, 2).forget(), timeout=5)
                assert len(await _changes(database)) == 1
        finally:
            await connection.close()


async def test_nobody_else_may_delete_any_also_where_some_were_forgotten(
    database: Database,
) -> None:
    await type_in(database, _written("old", _OLD), _written("kept", _KEPT))

    with pytest.raises(asyncpg.RestrictViolationError, match="only ever added to"):
        await type_in(
            database,
            f"begin; select langroute.forget_changes({_KEPT}, 10); delete from langroute.audit",
        )

    assert len(await _changes(database)) == 2


async def test_a_gateway_forgets_old_changes_while_it_serves(database_url: str) -> None:
    settings = load_settings(
        database_url=database_url, encryption_key=secrets.token_hex(32), audit_retention_months=2
    )
    async with open_container(settings) as container:
        database = container.database()
        await type_in(database, _written("old", _OLD))
    async with open_container(settings, serving=True) as container:
        log = PostgresAudit(container.database())
        async with asyncio.timeout(20):
            while await log.changes(ChangeQuery(kind="route", name="old")):
                await asyncio.sleep(0.02)
        (note,) = await log.changes(ChangeQuery(kind="audit"))
        assert note.actor == "gateway"


async def _fetch(database: Database, query: str) -> list[asyncpg.Record]:
    connection = await database.connect()
    try:
        return list(await connection.fetch(query))
    finally:
        await connection.close()
