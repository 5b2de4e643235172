"""Whoever changes the configuration, and however, is written down: who, what, before and after."""

import getpass
import json
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text

from command_line import Langroute, told
from gateway_fixtures import RunningGateway, Scene, running_gateway
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.ledger import PostgresLedger
from langroute.adapters.postgres.tables.all import METADATA
from langroute.adapters.postgres.tables.schema import SCHEMA
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.application.keys.issue_virtual_key import KeyOrder
from langroute.application.ports.audit import ChangeQuery
from langroute.entrypoints import views
from langroute.entrypoints.embedding import open_gateway
from langroute.entrypoints.settings import load_settings
from postgres_fixtures import type_in
from samples import new_entry, new_key

# What changes with every call, and the log itself; and what tells of no configuration.
_NOT_CONFIGURATION = {
    *("ledger", "rollups", "reservations", "sweeps", "counters", "later_claims"),
    *("idempotent_replies", "audit", "dropped_sums", "posted_corrections", "recounts"),
}


async def _log(running: RunningGateway, which: str = "", key: str | None = None) -> list[Any]:
    answered = await running.call("GET", f"/api/audit{which}", key=key)
    assert answered.status == 200, answered.body
    return list(answered.body["data"])


async def _rows(database: Database) -> list[Any]:
    async with database.engine.connect() as connection:
        found = await connection.execute(text("select * from langroute.audit order by number"))
        return list(found.mappings())


async def test_each_change_over_http_is_told_with_who_made_it(database_url: str) -> None:
    admin_key = "the-admin-key-of-the-test"
    async with running_gateway(database_url, admin_key=admin_key) as running:
        body = {"name": "web", "requests_per_minute": 5}
        made = (await running.call("POST", "/api/keys", body, key=admin_key)).body
        await running.call(
            "PATCH", f"/api/keys/{made['id']}", {"requests_per_minute": 9}, key=admin_key
        )

        changed, created = await _log(running, f"?name={made['id']}", admin_key)

        assert changed["actor"] == created["actor"] == "admin key …test"
        assert changed["role"]
        assert (created["kind"], created["action"], created["before"]) == ("key", "created", None)
        assert created["after"]["requests_per_minute"] == 5
        assert (changed["action"], changed["before"]) == ("changed", created["after"])
        assert changed["after"] == {**created["after"], "requests_per_minute": 9}
        assert admin_key not in str(await _log(running, key=admin_key))
        assert (await running.call("GET", "/api/audit")).status == 401
        # What a new database starts with, nobody asked for.
        (seeded,) = await _log(running, "?kind=provider&name=openai", admin_key)
        assert seeded["actor"] == "gateway"


async def test_in_development_it_is_development(scene: Scene) -> None:
    price = {"provider": "openai", "model": "m", "input": "1.000001", "output": "2"}
    await scene.running.call("POST", "/api/prices", price)

    (change,) = await _log(scene.running, "?kind=price&name=openai/m")

    assert change["actor"] == "development"
    assert change["after"]["input_usd_per_mtok"] == "1.000001"


async def test_no_secret_of_the_gateway_is_anywhere_in_it(scene: Scene) -> None:
    container = scene.running.container
    for credential in (scene.openai.credential, scene.mistral.credential):
        await scene.running.call("PUT", "/api/providers/openai/credential", {"secret": credential})
    await scene.running.call("DELETE", "/api/providers/openai/credential")
    (key,) = (await scene.running.call("GET", "/api/keys")).body["data"]
    await scene.running.call("POST", f"/api/keys/{key['id']}/rotate")
    saved = await container.credentials().all()
    assert len(saved) == 2
    secrets = [scene.key, str(scene.openai.credential), str(scene.mistral.credential)]
    async with container.database().reading() as connection:
        digests = await connection.scalars(text("select digest from langroute.virtual_keys"))
        secrets += [form for digest in digests for form in (digest.hex(), str(digest))]
        everything = str((await connection.exec_driver_sql("select * from langroute.audit")).all())

    assert "'kind': 'credential'" in str(await _log(scene.running, "?kind=credential"))
    for secret in (*secrets, *(credential.sealed for credential in saved)):
        assert secret not in everything
    assert "lrvk_" not in everything


async def test_the_command_line_is_the_user_of_the_system(cli: Langroute) -> None:
    await told(cli, "keys", "issue", "--name", "web", LOGNAME="somebody-else")

    (change,) = await told(cli, "audit", "--kind", "key")

    assert change["actor"] == f"command line: {getpass.getuser()}"
    assert change["after"]["name"] == "web"
    table = await cli("audit", "--limit", "1")
    assert "created" in table.stdout
    assert await told(cli, "audit", "--until", "2001-01-01") == []


async def test_what_is_typed_into_psql_is_the_role_s(database: Database) -> None:
    await type_in(
        database,
        "insert into langroute.providers (name, kind, base_url) values ('x', 'openai', 'http://x')",
        "update langroute.providers set base_url = 'http://y'",
        "update langroute.providers set base_url = 'http://y'",
        "delete from langroute.providers",
        "truncate langroute.prices",
    )

    rows = await _rows(database)

    assert [(row["kind"], row["name"], row["action"]) for row in rows] == [
        ("provider", "x", "created"),
        ("provider", "x", "changed"),
        ("provider", "x", "removed"),
        ("price", "*", "emptied"),
    ]
    assert {row["actor"] for row in rows} == {f"role {rows[0]['role']}"}
    assert rows[1]["after"]["base_url"] == "http://y"


async def test_a_role_that_may_not_write_the_log_leaves_its_changes_there(
    database: Database,
) -> None:
    await type_in(
        database,
        "create role prices_only",
        "grant usage on schema langroute to prices_only",
        "grant insert on langroute.prices to prices_only",
        "set role prices_only; insert into langroute.prices "
        "(provider, model, input_usd_per_mtok, output_usd_per_mtok) values ('p', 'm', 1, 2)",
    )
    try:
        (row,) = await _rows(database)
        assert (row["kind"], row["name"]) == ("price", "p/m")
    finally:
        await type_in(database, "drop owned by prices_only", "drop role prices_only")


@pytest.mark.parametrize(
    "statement",
    [
        "update langroute.audit set actor = 'nobody'",
        "delete from langroute.audit",
        "truncate langroute.audit",
    ],
)
async def test_it_is_only_ever_added_to(database: Database, statement: str) -> None:
    await PostgresKeys(database).put(new_key())

    with pytest.raises(asyncpg.RestrictViolationError, match="only ever added to"):
        await type_in(database, statement)


async def test_what_is_taken_back_was_never_changed(database: Database) -> None:
    await type_in(
        database,
        "begin; insert into langroute.routes (model) values ('gone'); rollback",
    )

    assert await _rows(database) == []


async def test_what_calls_cost_is_no_change(database: Database) -> None:
    key = new_key()
    await PostgresKeys(database).put(key)
    async with PostgresLedger(database) as ledger:
        ledger.record(new_entry(key_id=key.id))

    (issued,) = await _rows(database)

    assert issued["action"] == "created"
    assert "total_cost" not in issued["after"]
    async with database.engine.connect() as connection:
        calls = await connection.scalars(text("select total_calls from langroute.virtual_keys"))
        assert calls.all() == [1]


async def test_every_table_of_the_configuration_and_every_column_is_watched(
    database: Database,
) -> None:
    """One that is added later is watched, too, or named here."""
    watching = text(
        """
        select tgrelid::regclass::text, tgtype, tgattr::smallint[], tgnargs from pg_trigger
        where tgfoid = 'langroute.write_audit'::regproc
        """
    )
    columns = text(
        """
        select attnum, attname from pg_attribute
        where attrelid = to_regclass(:name) and attnum > 0 and not attisdropped
        """
    )
    async with database.engine.connect() as connection:
        found = (await connection.execute(watching)).all()
        for table in METADATA.sorted_tables:
            own = [row for row in found if row[0] == f"{SCHEMA}.{table.name}"]
            if table.name in _NOT_CONFIGURATION:
                assert own == []
                continue
            assert len(own) == 2, table.name
            for _, _, watched, _ in own:
                if not watched:  # every column
                    continue
                there = (await connection.execute(columns, {"name": str(table)})).all()
                unwatched = {name for number, name in there if number not in watched}
                assert unwatched == {"total_cost", "total_tokens", "total_calls"}


async def test_numbers_are_told_as_they_are(database: Database, cli: Langroute) -> None:
    del database
    tiers = '[{"above_prompt_tokens": 12345678901234567890123, "input": 0.1, "output": 1e5000}]'
    sql = (
        "insert into langroute.prices (provider, model, input_usd_per_mtok, output_usd_per_mtok, "
        f"tiers) values ('p', 'm', 0.1, 2, '{tiers}')"
    )
    assert (await cli("psql", "-c", sql)).returncode == 0

    (change,) = await told(cli, "audit", "--name", "p/m")

    (tier,) = change["after"]["tiers"]
    assert tier["above_prompt_tokens"] == "12345678901234567890123"
    assert tier["input"] == "0.1"
    assert json.dumps(change)


@pytest.mark.parametrize(
    ("which", "param"),
    [("limit=0", "limit"), ("from=yesterday", "from"), ("until=x", "until")],
)
async def test_a_wrong_question_is_refused_by_its_name(
    shared_gateway: RunningGateway, which: str, param: str
) -> None:
    answered = await shared_gateway.call("GET", f"/api/audit?{which}")

    assert (answered.status, answered.body["error"]["param"]) == (400, param)


async def test_what_postgres_cannot_even_be_asked_for_is_refused(
    shared_gateway: RunningGateway,
) -> None:
    refused = await shared_gateway.call("GET", "/api/audit?name=a%00b")
    assert (refused.status, refused.body["error"]["param"]) == (400, "name")


async def test_organizations_teams_and_limits_are_told_of(scene: Scene) -> None:
    running = scene.running
    made = (await running.call("POST", "/api/organizations", {"name": "acme"})).body
    team = {"name": "research", "organization": "acme"}
    made_team = (await running.call("POST", "/api/teams", team)).body
    limit = {"measure": "money", "amount": "100.000001", "per": "month"}
    for amount in ("100.000001", "200"):
        answered = await running.call(
            "POST", "/api/organizations/acme/limits", {**limit, "amount": amount}
        )
        assert answered.status < 300, answered.body
    await running.call("PATCH", f"/api/teams/{made_team['id']}", {"name": "development"})

    renamed, *_ = await _log(running, f"?kind=team&name={made_team['id']}")
    assert (renamed["before"]["name"], renamed["after"]["name"]) == ("research", "development")
    changed, added = await _log(running, f"?kind=limit&name={made['id']}")
    assert [each["actor"] for each in (changed, added, renamed)] == ["development"] * 3
    assert (added["action"], added["after"]["amount"]) == ("created", "100.000001000000")
    assert (changed["action"], changed["before"]) == ("changed", added["after"])
    assert changed["after"]["amount"].startswith("200")
    (created,) = await _log(running, "?kind=organization")
    assert created["after"]["name"] == "acme"


async def test_without_a_database_what_its_own_stores_are_told_is_in_it() -> None:
    async with open_gateway(load_settings(), memory=True) as gateway:
        local = gateway.define_provider.order(
            "local", "openai", "http://localhost/v1", needs_credential=False
        )
        await gateway.define_provider(local)
        issued = await gateway.issue_virtual_key(KeyOrder(name="app"))
        await gateway.save_credentials(issued.key.id, {"local": "the-secret"})

        saved, created, defined = await gateway.report_changes(ChangeQuery(limit=3))

        assert [each.kind for each in (saved, created, defined)] == [
            "credential",
            "key",
            "provider",
        ]
        assert {each.actor for each in (saved, created, defined)} == {"gateway"}
        assert defined.after == views.provider_view(local)
        told = str(await gateway.report_changes(ChangeQuery(limit=1000)))
        for secret in ("the-secret", issued.secret, str(issued.key.digest)):
            assert secret not in told
