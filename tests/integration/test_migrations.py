import asyncio
import re
from itertools import pairwise

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.ledger_reports import PostgresReports
from langroute.adapters.postgres.migrate import downgrade, migrate
from langroute.adapters.postgres.revision import current, is_current, migrations_folder, newest
from langroute.adapters.postgres.tables.all import METADATA
from langroute.adapters.postgres.tables.schema import SCHEMA
from langroute.application.ports.ledger import SpendQuery
from langroute.domain.money import Money
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates, Tier
from langroute.domain.usage import TokenUsage
from postgres_fixtures import Databases, type_in
from samples import new_entry

_ENTRY_OF_BEFORE = """
    insert into langroute.ledger (
        request_id, key_id, at, duration_ns, model, outcome, attempts, streamed,
        input_tokens, output_tokens, cost_usd
    )
    values (
        gen_random_uuid(), gen_random_uuid(), now(), 1, 'gpt-image-2', 'succeeded', 1, false,
        50, 100, 0.00325
    )
"""

# As their parents are, of which they are partitions.
_PARTITION = re.compile("_(default|[0-9]{4}_[0-9]{2})$")

_COMMENTS = {"add_table_comment", "remove_table_comment", "modify_comment"}


async def test_up_down_and_up_again(empty_database: Database) -> None:
    engine = empty_database.engine
    assert await current(engine) is None

    await migrate(engine)
    up = await _objects(empty_database)
    await downgrade(engine)
    down = await _objects(empty_database)
    await migrate(engine)

    assert not down
    assert up == await _objects(empty_database)
    assert await is_current(engine)


async def test_each_revision_can_be_taken_back(empty_database: Database) -> None:
    revisions = sorted(path.name[:4] for path in migrations_folder().glob("versions/*_*.py"))
    assert revisions[-1] == newest()
    up, down = [], []
    for revision in revisions:
        await migrate(empty_database.engine, revision)
        up.append(await _objects(empty_database))
    for revision in reversed(revisions):
        await downgrade(empty_database.engine, revision)
        down.append(await _objects(empty_database))

    assert all(one != next_one for one, next_one in pairwise(up))
    assert down[::-1] == up


async def test_a_route_of_before_drops_what_is_unsupported(empty_database: Database) -> None:
    await migrate(empty_database.engine, "0003")
    await type_in(empty_database, "insert into langroute.routes (model) values ('old')")

    await migrate(empty_database.engine)

    async with empty_database.engine.connect() as connection:
        kept = await connection.execute(text("select model, unsupported from langroute.routes"))
        assert kept.all() == [("old", "drop")]


async def test_entries_of_before_images_keep_what_they_cost(empty_database: Database) -> None:
    await migrate(empty_database.engine, "0004")
    await type_in(empty_database, _ENTRY_OF_BEFORE)

    await migrate(empty_database.engine)

    reports = PostgresReports(empty_database)
    (entry,) = await reports.entries(None, 10)
    assert entry.usage == TokenUsage(input=50, output=100)
    assert entry.cost == Money.from_usd("0.00325")
    (line,) = await reports.spend(SpendQuery())
    assert (line.prompt_tokens, line.completion_tokens) == (50, 100)


async def test_without_images_their_tokens_are_plain_and_cost_the_same(
    empty_database: Database,
) -> None:
    await migrate(empty_database.engine)
    async with PostgresLedger(empty_database) as ledger:
        ledger.record(
            new_entry(
                usage=TokenUsage(input=10, image_input=40, output=1, image_output=100),
                cost=Money(7),
            )
        )
    rates = Rates(input=Money(5), output=Money(40), image_input=Money(10), image_output=Money(30))
    tiers = (Tier(above_prompt_tokens=9, rates=rates),)
    await PostgresCatalogues(empty_database).put(
        prices=[
            DatedPrice(
                provider="openai",
                model="gpt-image-1",
                effective_from_ns=0,
                price=ModelPrice(rates=rates, tiers=tiers),
            )
        ]
    )

    await downgrade(empty_database.engine, "0004")

    async with empty_database.engine.connect() as connection:
        kept = await connection.execute(
            text("select input_tokens, output_tokens, cost_usd from langroute.ledger")
        )
        assert kept.all() == [(50, 101, Money(7).usd)]
        tiers_kept = await connection.execute(text("select tiers from langroute.prices"))
        (written,) = tiers_kept.scalars()
    assert written == [{"above_prompt_tokens": 9, "input": "0.000005", "output": "0.00004"}]
    with pytest.raises(asyncpg.RestrictViolationError, match="only ever added to"):
        await type_in(empty_database, "update langroute.ledger set cost_usd = 0")

    await migrate(empty_database.engine)

    (row,) = (await PostgresCatalogues(empty_database).load()).prices.rows()
    assert row.price.rates == Rates(input=Money(5), output=Money(40))
    (entry,) = await PostgresReports(empty_database).entries(None, 10)
    assert (entry.usage, entry.cost) == (TokenUsage(input=50, output=101), Money(7))


async def test_migrating_what_is_migrated_changes_nothing(database: Database) -> None:
    before = await _objects(database)

    await migrate(database.engine)

    assert await _objects(database) == before


async def test_several_processes_may_migrate_at_once(databases: Databases) -> None:
    async with databases.url("template0") as url:
        nodes = [Database(url) for _ in range(4)]

        await asyncio.gather(*(migrate(node.engine) for node in nodes))

        assert await is_current(nodes[0].engine)
        for node in nodes:
            await node.aclose()


async def test_the_tables_are_what_the_code_believes_them_to_be(database: Database) -> None:
    async with database.engine.connect() as connection:
        differences = await connection.run_sync(_differences)

    assert differences == []

    await type_in(
        database,
        "alter table langroute.ledger drop column error",
        "alter table langroute.prices alter tiers drop not null",
        "drop index langroute.ledger_key_id_at",
    )
    async with database.engine.connect() as connection:
        kinds = {found[0] for found in await connection.run_sync(_differences)}
    assert kinds == {"add_column", "modify_nullable", "add_index"}


async def test_nothing_lies_outside_the_schema(database: Database) -> None:
    async with database.engine.connect() as connection:
        public = await connection.execute(
            text("select relname from pg_class where relnamespace = 'public'::regnamespace")
        )

        assert public.all() == []


def test_the_migrations_are_found() -> None:
    assert (migrations_folder() / "env.py").is_file()


def _differences(connection: Connection) -> list[tuple[object, ...]]:
    context = MigrationContext.configure(
        connection,
        opts={
            "include_schemas": True,
            "version_table_schema": SCHEMA,
            "compare_type": True,
            "include_name": lambda name, kind, _: kind != "table" or not _PARTITION.search(name),
        },
    )
    found = compare_metadata(context, METADATA)
    # Changes of one column come as a list of their own.
    each = [one for entry in found for one in (entry if isinstance(entry, list) else [entry])]
    # Comments are for whoever opens psql, so they stand in the migrations only.
    return [difference for difference in each if difference[0] not in _COMMENTS]


async def _objects(database: Database) -> list[tuple[object, ...]]:
    """Everything in the schema, told as Postgres tells it."""
    listed = text(
        """
        select 'column', table_name || '.' || column_name, data_type || coalesce(column_default, '')
            from information_schema.columns where table_schema = 'langroute'
        union all
        select 'constraint', conrelid::regclass::text || conname, pg_get_constraintdef(oid)
            from pg_constraint where connamespace = 'langroute'::regnamespace
        union all
        select 'index', indexname, indexdef from pg_indexes where schemaname = 'langroute'
        union all
        select 'function', proname, pg_get_functiondef(oid)
            from pg_proc where pronamespace = 'langroute'::regnamespace
        union all
        select 'trigger', tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
        order by 1, 2, 3
        """
    )
    async with database.engine.connect() as connection:
        there = await connection.execute(text("select to_regnamespace('langroute')"))
        if there.scalar_one() is None:
            return []
        return [tuple(row) for row in await connection.execute(listed)]


def test_the_newest_file_is_alembics_head() -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == newest()
