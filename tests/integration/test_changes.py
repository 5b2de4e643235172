"""What changes in Postgres, by whatever hand, changes what a gateway serves within a second."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from langroute.adapters.cache.catalogue import CurrentCatalogue
from langroute.adapters.cache.changes import Caches, ChangeSink
from langroute.adapters.cache.credentials import CachedCredentials
from langroute.adapters.cache.virtual_keys import CachedKeys
from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.changes import PostgresChanges
from langroute.adapters.postgres.credentials import PostgresCredentials
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.domain.ids import KeyId
from langroute.domain.keys import VirtualKey, digest_of
from postgres_fixtures import Server, type_in

OWNER = KeyId(UUID("019a0000-0000-7000-8000-000000000001"))
DIGEST = digest_of("mine")
NEW_KEY = """
    insert into langroute.virtual_keys (id, digest)
    values ('019a0000-0000-7000-8000-000000000001', sha256('mine'))
"""
NEW_PROVIDER = "insert into langroute.providers values ('openai', 'openai', 'http://x')"


@dataclass
class Told:
    """Writes down what it is told."""

    notices: "asyncio.Queue[object]" = field(default_factory=asyncio.Queue)

    def catalogue_changed(self) -> None:
        self.notices.put_nowait("catalogue")

    def key_changed(self, digest: bytes) -> None:
        self.notices.put_nowait(digest)

    def keys_changed(self) -> None:
        self.notices.put_nowait("keys")

    def credential_changed(self, owner: KeyId | None) -> None:
        self.notices.put_nowait(("credential", owner))

    def calls_corrected(self, scopes: Collection[UUID]) -> None:
        self.notices.put_nowait(("corrected", list(scopes)))

    def everything_changed(self) -> None:
        self.notices.put_nowait("everything")

    async def next(self, count: int) -> list[object]:
        async with asyncio.timeout(10):
            return [await self.notices.get() for _ in range(count)]


_: type[ChangeSink] = Told


@asynccontextmanager
async def listening(database: Database, sink: ChangeSink) -> AsyncIterator[PostgresChanges]:
    changes = PostgresChanges(database, sink)
    changes.start()
    try:
        async with asyncio.timeout(10):
            await changes.ready.wait()
        yield changes
    finally:
        await changes.aclose()


async def test_everything_counts_as_changed_when_the_listening_begins(database: Database) -> None:
    told = Told()

    async with listening(database, told):
        assert await told.next(1) == ["everything"]


async def test_each_change_is_told_of(database: Database) -> None:
    told = Told()
    async with listening(database, told):
        await told.next(1)
        for statement, expected in _CHANGES:
            await type_in(database, statement)

            assert await told.next(len(expected)) == expected, statement

        await type_in(database, "notify langroute_changes, 'last'")
        assert await told.next(1) == ["everything"]


_ENTRY = f"""
    insert into langroute.ledger (
        at, request_id, number, key_id, team_id, duration_ns, model, outcome, attempts, streamed,
        reason, posted_at
    )
    select now(), '{OWNER}', number, '{OWNER}', team, 1, 'm', 'failed', 1, false,
        case when number > 0 then 'why' end, case when number > 0 then now() end
    from (values (0, null), (1, '{OWNER}'::uuid)) further (number, team)
"""
_PRICE = "insert into langroute.prices values ('openai', 'm', default, 1, 1)"
_SAVE = "insert into langroute.provider_credentials (owner, provider, sealed) values"
_CHANGES: list[tuple[str, list[object]]] = [
    (NEW_PROVIDER, ["catalogue"]),
    ("insert into langroute.routes values ('m')", ["catalogue"]),
    ("insert into langroute.route_targets values ('m', 0, 'openai', 'm')", ["catalogue"]),
    ("update langroute.route_targets set weight = 2", ["catalogue"]),
    (_PRICE, ["catalogue"]),
    ("delete from langroute.routes", ["catalogue"]),
    (NEW_KEY, [DIGEST]),
    ("update langroute.virtual_keys set revoked_at = now()", [DIGEST]),
    # Only what the ledger writes: no gateway reads it.
    ("update langroute.virtual_keys set total_cost = 1, total_tokens = 1, total_calls = 1", []),
    ("update langroute.virtual_keys set digest = sha256('new')", [DIGEST, digest_of("new")]),
    (f"{_SAVE} ('{OWNER}', 'openai', 's')", [("credential", OWNER)]),
    (f"{_SAVE} (null, 'openai', 's')", [("credential", None)]),
    (
        """update langroute.provider_credentials set owner = null, provider = 'x'
        where owner is not null""",
        [("credential", OWNER), ("credential", None)],
    ),
    ("delete from langroute.provider_credentials", [("credential", None)]),
    (_ENTRY, [("corrected", [OWNER, OWNER])]),
    (f"{_SAVE} ('{OWNER}', 'openai', 's')", [("credential", OWNER)]),
    ("insert into langroute.organizations (name) values ('acme'), ('other')", ["keys"]),
    ("update langroute.organizations set allowed_models = '{gpt-*}'", ["keys"]),
    (
        """insert into langroute.teams (name, organization_id)
        select 'research', id from langroute.organizations where name = 'acme'""",
        ["keys"],
    ),
    ("update langroute.teams set organization_id = null", ["keys"]),
    (
        "update langroute.virtual_keys set team_id = (select id from langroute.teams)",
        [digest_of("new")],
    ),
    (
        """insert into langroute.limits (team_id, measure, amount, period)
        select id, 'money', 5, 'day' from langroute.teams""",
        ["keys"],
    ),
    (
        f"""insert into langroute.limits (key_id, measure, amount, window_s)
        values ('{OWNER}', 'tokens', 5, 1)""",
        [digest_of("new")],
    ),
    ("update langroute.limits set amount = 6", ["keys", digest_of("new")]),
    (
        """update langroute.limits set key_id = null,
        organization_id = (select id from langroute.organizations where name = 'acme')
        where key_id is not null""",
        [digest_of("new"), "keys"],
    ),
    (
        f"""update langroute.limits set key_id = '{OWNER}', organization_id = null
        where organization_id is not null""",
        ["keys", digest_of("new")],
    ),
    ("delete from langroute.organizations", ["keys"]),
    # Its limit goes with it.
    ("delete from langroute.virtual_keys", [digest_of("new"), ("credential", OWNER)]),
    ("delete from langroute.limits", ["keys"]),
    ("delete from langroute.limits", []),
    ("truncate langroute.limits", ["everything"]),
    ("truncate langroute.organizations cascade", ["everything"]),
    ("truncate langroute.virtual_keys cascade", ["everything"]),
    ("truncate langroute.providers, langroute.route_targets", ["everything"]),
]


async def test_a_notice_that_makes_no_sense_means_that_anything_may_have_changed(
    database: Database,
) -> None:
    told = Told()
    async with listening(database, told):
        await told.next(1)

        for payload in ("", "key:zz", "credential:me", "what?"):
            await type_in(database, f"notify langroute_changes, '{payload}'")

            assert await told.next(1) == ["everything"]


async def test_what_is_typed_into_psql_is_served_without_a_restart(database: Database) -> None:
    keys = CachedKeys(PostgresKeys(database))
    credentials = CachedCredentials(PostgresCredentials(database))
    catalogue = CurrentCatalogue(PostgresCatalogues(database))
    catalogue.start()
    caches = Caches(keys=keys, credentials=credentials, catalogue=catalogue)

    async def knows_the_key() -> bool:
        return await keys.by_digest(DIGEST) is not None

    async def has_revoked_the_key() -> bool:
        key = await keys.by_digest(DIGEST)
        return key is not None and key.revoked_at_ns is not None

    def key_is(what: Callable[[VirtualKey], bool]) -> Callable[[], Awaitable[bool]]:
        async def holds() -> bool:
            key = await keys.by_digest(DIGEST)
            return key is not None and what(key)

        return holds

    async def knows_the_credential() -> bool:
        return await credentials.find(OWNER, "openai") is not None

    async def knows_the_provider() -> bool:
        return "openai" in catalogue.current().providers

    async with listening(database, caches):
        for statement, is_served in (
            (NEW_KEY, knows_the_key),
            ("update langroute.virtual_keys set revoked_at = now()", has_revoked_the_key),
            (
                """with acme as (
                    insert into langroute.organizations (name) values ('acme') returning id
                ), research as (
                    insert into langroute.teams (organization_id, name)
                    select id, 'research' from acme returning id
                )
                update langroute.virtual_keys set team_id = (select id from research)""",
                key_is(lambda key: key.team is not None),
            ),
            (
                """insert into langroute.limits (organization_id, measure, amount, period)
                select id, 'money', 5, 'month' from langroute.organizations""",
                key_is(lambda key: [limit.amount for limit in key.all_limits] == [5 * 10**12]),
            ),
            (
                "update langroute.limits set amount = 2.5",
                key_is(lambda key: [limit.amount for limit in key.all_limits] == [25 * 10**11]),
            ),
            (
                f"""insert into langroute.limits (key_id, measure, amount, period)
                values ('{OWNER}', 'parallel', 3, 'never')""",
                key_is(lambda key: len(key.further_limits) == 1),
            ),
            (
                "update langroute.teams set allowed_models = '{gpt-*}'",
                key_is(lambda key: not key.may_use("mistral-small")),
            ),
            (
                "update langroute.organizations set name = 'new'",
                key_is(lambda key: key.team is not None and key.team.path == "new/research"),
            ),
            ("delete from langroute.limits", key_is(lambda key: not key.all_limits)),
            (f"{_SAVE} (null, 'openai', 's')", knows_the_credential),
            (NEW_PROVIDER, knows_the_provider),
        ):
            assert not await is_served()

            await type_in(database, statement)

            # Some milliseconds; the bound is for machines that are busy with something else.
            assert await _seconds_until(is_served) < 10, statement
    await catalogue.aclose()


async def test_listening_goes_on_after_postgres_was_restarted(server: Server) -> None:
    for mode in ("fast", "immediate"):
        told = Told()
        async with server.databases.migrated() as database, listening(database, told) as changes:
            await told.next(1)
            await server.stop(mode)
            await _seconds_until(lambda: _is_deaf(changes))

            async with server.running():
                # Notices were missed meanwhile.
                assert await told.next(1) == ["everything"]
                await type_in(database, NEW_KEY)
                assert await told.next(1) == [DIGEST]


async def test_listening_goes_on_after_its_connection_was_cut(database: Database) -> None:
    told = Told()
    async with listening(database, told):
        await told.next(1)

        await type_in(
            database,
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where query ilike 'listen%' and datname = current_database()",
        )

        assert await told.next(1) == ["everything"]


async def test_a_connection_that_no_longer_answers_is_replaced(database: Database) -> None:
    told = Told()
    async with listening(database, told):
        await told.next(1)
        connection = await database.connect()
        backend = await connection.fetchval(
            "select pid from pg_stat_activity "
            "where query ilike 'listen%' and datname = current_database()"
        )
        await connection.close()

        os.kill(backend, signal.SIGSTOP)
        try:
            assert await told.next(1) == ["everything"]
        finally:
            os.kill(backend, signal.SIGCONT)


async def test_known_keys_are_served_while_postgres_is_away(server: Server) -> None:
    async with server.databases.migrated() as database:
        keys = CachedKeys(PostgresKeys(database))
        catalogue = CurrentCatalogue(PostgresCatalogues(database))
        await type_in(database, NEW_KEY, NEW_PROVIDER)
        await catalogue.refresh()
        catalogue.start()
        caches = Caches(
            keys=keys,
            credentials=CachedCredentials(PostgresCredentials(database)),
            catalogue=catalogue,
        )
        async with listening(database, caches) as changes:
            known = await keys.by_digest(DIGEST)
            await server.stop()
            await _seconds_until(lambda: _is_deaf(changes))
            caches.everything_changed()

            assert known is not None
            assert await keys.by_digest(DIGEST) == known
            assert set(catalogue.current().providers) == {"openai"}

            async with server.running():
                await type_in(database, "update langroute.virtual_keys set name = 'new'")
                await _seconds_until(lambda: _has_name(keys, "new"))
        await catalogue.aclose()


async def _is_deaf(changes: PostgresChanges) -> bool:
    return not changes.ready.is_set()


async def _has_name(keys: CachedKeys, name: str) -> bool:
    key = await keys.by_digest(DIGEST)
    return key is not None and key.name == name


async def _seconds_until(holds: Callable[[], Awaitable[bool]]) -> float:
    start = time.monotonic()
    async with asyncio.timeout(10):
        while not await holds():
            await asyncio.sleep(0.01)
    return time.monotonic() - start
