"""What the rest of the gateway sees of Postgres being away: one error of ours, and a recovery."""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest
from sqlalchemy import text

from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.credentials import PostgresCredentials
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.health import PostgresHealth
from langroute.adapters.postgres.ledger_reports import PostgresReports
from langroute.adapters.postgres.limits import PostgresLimits
from langroute.adapters.postgres.organizations import PostgresOrganizations
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.application.ports.ledger import SpendQuery
from langroute.domain.credentials import Credential
from langroute.domain.errors import StoreUnavailable
from langroute.domain.ids import KeyId, OrganizationId, TeamId
from langroute.domain.limits import Limit, Measure
from langroute.domain.organizations import Organization, Team, team_scope
from langroute.domain.stores import Store
from postgres_fixtures import Server, type_in
from samples import ENTROPY, new_key

KEY = new_key()
CREDENTIAL = Credential(owner=None, provider="openai", sealed="sealed")
OTHER = KeyId(ENTROPY.uuid())
ACME = Organization(id=OrganizationId(ENTROPY.uuid()), name="acme")
TEAM = Team(id=TeamId(ENTROPY.uuid()), name="research", organization=ACME)
LIMIT = Limit(scope=team_scope(TEAM.id), measure=Measure.TOKENS, amount=1)
NO_TEAM, NO_ORGANIZATION = TeamId(ENTROPY.uuid()), OrganizationId(ENTROPY.uuid())

CALLS: dict[str, Callable[[Database], Awaitable[object]]] = {
    "by_digest": lambda db: PostgresKeys(db).by_digest(KEY.digest),
    "by_id": lambda db: PostgresKeys(db).by_id(KEY.id),
    "put key": lambda db: PostgresKeys(db).put(KEY),
    "page": lambda db: PostgresKeys(db).page(None, 10),
    "organizations": lambda db: PostgresOrganizations(db).organizations(),
    "teams": lambda db: PostgresOrganizations(db).teams(),
    "put organization": lambda db: PostgresOrganizations(db).put(ACME),
    "put team": lambda db: PostgresOrganizations(db).put_team(TEAM),
    "change organization": lambda db: PostgresOrganizations(db).change(ACME.id, lambda it: it),
    "change team": lambda db: PostgresOrganizations(db).change_team(TEAM.id, lambda it: it),
    "remove team": lambda db: PostgresOrganizations(db).remove_team(NO_TEAM),
    "remove organization": lambda db: PostgresOrganizations(db).remove(NO_ORGANIZATION),
    "set limit": lambda db: PostgresLimits(db).set(LIMIT),
    "lift limit": lambda db: PostgresLimits(db).lift(LIMIT.scope, LIMIT.id),
    "find": lambda db: PostgresCredentials(db).find(OTHER, "openai"),
    "of": lambda db: PostgresCredentials(db).of(None),
    "put credential": lambda db: PostgresCredentials(db).put(CREDENTIAL),
    "remove": lambda db: PostgresCredentials(db).remove(None, "openai"),
    "all": lambda db: PostgresCredentials(db).all(),
    "load": lambda db: PostgresCatalogues(db).load(),
    "put catalogue": lambda db: PostgresCatalogues(db).put(),
    "remove_provider": lambda db: PostgresCatalogues(db).remove_provider("openai"),
    "remove_route": lambda db: PostgresCatalogues(db).remove_route("m"),
    "spend": lambda db: PostgresReports(db).spend(SpendQuery()),
    "entries": lambda db: PostgresReports(db).entries(None, 1),
}


async def test_every_call_tells_that_postgres_is_away_and_works_once_it_is_back(
    server: Server,
) -> None:
    async with server.databases.migrated() as database:
        # So that the pool holds connections that are going to die.
        await asyncio.gather(*(PostgresKeys(database).by_id(KEY.id) for _ in range(10)))
        await server.stop()
        for call in CALLS.values():
            with pytest.raises(StoreUnavailable):
                await call(database)

        async with server.running():
            for call in CALLS.values():
                await call(database)


@pytest.mark.parametrize("store", Store)
async def test_what_cannot_be_reached_is_named(empty_database: Database, store: Store) -> None:
    with pytest.raises(StoreUnavailable, match=f"{store.capitalize()} cannot be reached") as away:
        await PostgresKeys(empty_database.of(store)).by_id(KEY.id)
    assert away.value.store is store


async def test_a_database_that_was_never_migrated_is_told_of_in_the_log(
    empty_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StoreUnavailable):
        await PostgresKeys(empty_database).by_id(KEY.id)

    assert "virtual_keys" in caplog.text
    assert [line.levelno for line in caplog.records] == [logging.ERROR]


async def test_what_postgres_refuses_is_logged_without_its_values(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    keys = PostgresKeys(database)
    await keys.put(KEY)

    for refused in (replace(new_key(), digest=KEY.digest), replace(KEY, created_at_ns=-(10**18))):
        with pytest.raises(StoreUnavailable):
            await keys.put(refused)

    assert "virtual_keys_digest_key" in caplog.text
    assert "virtual_keys_created_at_check" in caplog.text
    assert KEY.digest.hex() not in caplog.text
    assert repr(KEY.digest)[2:-1] not in caplog.text


async def test_what_takes_longer_than_it_may_is_given_up(database: Database) -> None:
    for opened in (database.writing(within_s=0.2), database.reading(within_s=0.2)):
        with pytest.raises(StoreUnavailable):
            async with opened as connection:
                await connection.execute(text("select pg_sleep(60)"))
    assert await PostgresHealth(database, lambda: True)()


async def test_a_gateway_is_ready_where_postgres_answers_and_there_is_room(
    server: Server,
) -> None:
    async with server.databases.migrated() as database:
        assert await PostgresHealth(database, lambda: True)()
        assert not await PostgresHealth(database, lambda: False)()
        await server.stop()
        assert not await PostgresHealth(database, lambda: True)()
        async with server.running():
            assert await PostgresHealth(database, lambda: True)()


async def test_a_port_where_nobody_listens_is_postgres_being_away() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        database = Database(f"postgresql://u:p@127.0.0.1:{nobody.getsockname()[1]}/d")

        with pytest.raises(StoreUnavailable):
            await PostgresKeys(database).by_id(KEY.id)
        await database.aclose()


async def test_more_callers_than_connections_take_turns(database: Database) -> None:
    keys = PostgresKeys(database)
    await keys.put(KEY)

    found = await asyncio.gather(*(keys.by_id(KEY.id) for _ in range(100)))

    assert found == [KEY] * 100
    connection = await database.connect()
    count = await connection.fetchval(
        "select count(*) from pg_stat_activity "
        "where datname = current_database() and application_name = 'langroute'"
    )
    await connection.close()
    assert count <= 6


async def test_a_caller_who_hangs_up_gives_the_connection_back(database: Database) -> None:
    keys = PostgresKeys(database)
    for _ in range(20):
        call = asyncio.create_task(keys.by_id(KEY.id))
        await asyncio.sleep(0)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)

    assert await keys.by_id(KEY.id) is None


async def test_a_load_sees_one_moment(database: Database) -> None:
    await type_in(
        database,
        "insert into langroute.providers values ('p', 'openai', 'http://x')",
        "insert into langroute.routes values ('m')",
        "insert into langroute.route_targets values ('m', 0, 'p', 'm')",
    )
    async with database.reading() as connection:
        first = await connection.exec_driver_sql("select count(*) from langroute.routes")
        await type_in(database, "delete from langroute.routes")
        second = await connection.exec_driver_sql("select count(*) from langroute.route_targets")

        assert (first.scalar_one(), second.scalar_one()) == (1, 1)
