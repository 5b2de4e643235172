"""What every audit log must do, with the stores that write to it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import pytest

from langroute.adapters.memory.audit import MemoryAudit
from langroute.adapters.memory.catalogues import MemoryCatalogues
from langroute.adapters.memory.credentials import MemoryCredentials
from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.adapters.postgres.audit import PostgresAudit
from langroute.adapters.postgres.catalogues import PostgresCatalogues
from langroute.adapters.postgres.credentials import PostgresCredentials
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.adapters.system.actor import TaskActor
from langroute.application.ports.audit import AuditLog, ChangeQuery
from langroute.application.ports.catalogues import Catalogues
from langroute.application.ports.credentials import Credentials
from langroute.application.ports.virtual_keys import VirtualKeys
from langroute.domain.audit import Action, Change
from langroute.domain.credentials import Credential
from langroute.domain.money import Money
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.routes import ModelRoute, Target
from postgres_fixtures import MIGRATED, Databases
from samples import CLOCK, SECOND_NS, new_key

_PROVIDER = Provider(name="mine", kind=ProviderKind.OPENAI, base_url="https://mine.test/v1")
_ROUTE = ModelRoute(model="fast", targets=(Target(provider="mine", model="m"),))


@dataclass(frozen=True, slots=True)
class Store:
    audit: AuditLog
    catalogues: Catalogues
    credentials: Credentials
    keys: VirtualKeys

    async def log(self, kind: str | None = None, name: str | None = None) -> list[Change]:
        """The oldest first."""
        changes = await self.audit.changes(ChangeQuery(kind=kind, name=name))
        return list(reversed(changes))


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Store]:
    actor = TaskActor()
    actor.become("somebody")
    if request.param == "memory":
        audit = MemoryAudit(CLOCK, actor)
        yield Store(
            audit, MemoryCatalogues(audit), MemoryCredentials(audit), MemoryKeys(audit=audit)
        )
        return
    async with databases.url(MIGRATED) as url:
        database = Database(url, actor=actor.current)
        yield Store(
            PostgresAudit(database),
            PostgresCatalogues(database),
            PostgresCredentials(database),
            PostgresKeys(database),
        )
        await database.aclose()


async def test_what_is_added_changed_and_removed_leaves_a_change_each(store: Store) -> None:
    began_ns = CLOCK.now_ns()
    other = replace(_PROVIDER, base_url="https://other.test/v1")
    await store.catalogues.put(providers=[_PROVIDER])
    await store.catalogues.put(providers=[other])
    await store.catalogues.remove_provider("mine")

    created, changed, removed = await store.log()

    assert [change.action for change in (created, changed, removed)] == [
        Action.CREATED,
        Action.CHANGED,
        Action.REMOVED,
    ]
    image = {
        "name": "mine",
        "kind": "openai",
        "base_url": "https://mine.test/v1",
        "needs_credential": True,
    }
    assert (created.before, created.after) == (None, image)
    assert (changed.before, changed.after) == (image, {**image, "base_url": other.base_url})
    assert (removed.before, removed.after) == (changed.after, None)
    for change in (created, changed, removed):
        assert (change.actor, change.kind, change.name) == ("somebody", "provider", "mine")
        assert abs(change.at_ns - began_ns) < 60 * SECOND_NS


async def test_what_is_put_as_it_was_leaves_none(store: Store) -> None:
    key = new_key()
    await store.catalogues.put(providers=[_PROVIDER], routes=[_ROUTE])
    await store.keys.put(key)
    before = await store.log()

    await store.catalogues.put(providers=[_PROVIDER], routes=[_ROUTE])
    await store.keys.put(key)

    assert await store.log() == before


async def test_another_target_of_a_route_is_under_the_name_of_the_route(store: Store) -> None:
    await store.catalogues.put(providers=[_PROVIDER], routes=[_ROUTE])
    seen = len(await store.log(name="fast"))
    more = replace(_ROUTE, targets=(*_ROUTE.targets, Target(provider="mine", model="n")))
    await store.catalogues.put(routes=[more])

    (added,) = (await store.log(name="fast"))[seen:]

    assert "'n'" in str(added.after)


async def test_each_price_is_a_thing_of_its_own(store: Store) -> None:
    price = ModelPrice(rates=Rates(input=Money(5), output=Money(7)))
    first = DatedPrice(provider="p", model="m", effective_from_ns=0, price=price)
    await store.catalogues.put(prices=[first])
    await store.catalogues.put(prices=[replace(first, effective_from_ns=SECOND_NS)])

    log = await store.log(kind="price", name="p/m")

    assert [change.action for change in log] == [Action.CREATED, Action.CREATED]


async def test_neither_a_secret_nor_its_digest_is_in_it(store: Store) -> None:
    key = new_key()
    await store.keys.put(key)
    await store.keys.put(replace(key, digest=b"\x01" * 32, hint="next"))
    sealed = Credential(owner=key.id, provider="openai", sealed="sealed-text-of-old")
    await store.credentials.put(sealed)
    await store.credentials.put(replace(sealed, sealed="sealed-text-of-new"))
    await store.credentials.remove(key.id, "openai")

    issued, rotated, saved, replaced, removed = await store.log()

    told = str([issued, rotated, saved, replaced, removed])
    assert "sealed-text" not in told
    for digest in (key.digest, b"\x01" * 32):
        assert digest.hex() not in told
        assert str(digest) not in told
    assert (issued.kind, issued.name) == ("key", str(key.id))
    assert rotated.after is not None
    assert (rotated.after["replaced"], rotated.after["hint"]) == (["digest"], "next")
    assert (saved.kind, saved.name) == ("credential", "openai")
    image = {"owner": str(key.id), "provider": "openai"}
    assert saved.after == image
    assert replaced.after == {**image, "replaced": ["sealed"]}
    assert (removed.action, removed.before) == (Action.REMOVED, saved.after)


async def test_changes_are_found_by_kind_name_and_time_the_newest_first(store: Store) -> None:
    await store.catalogues.put(providers=[_PROVIDER, replace(_PROVIDER, name="two")])
    await store.catalogues.put(routes=[_ROUTE])
    everything = await store.audit.changes(ChangeQuery())

    assert {change.kind for change in everything} >= {"provider", "route"}
    by_kind = await store.audit.changes(ChangeQuery(kind="provider"))
    assert [change.name for change in by_kind] == ["two", "mine"]
    assert await store.audit.changes(ChangeQuery(kind="provider", name="mine")) == [by_kind[1]]
    assert await store.audit.changes(ChangeQuery(limit=1)) == everything[:1]
    latest_ns = everything[0].at_ns
    assert await store.audit.changes(ChangeQuery(from_ns=latest_ns + 1_000)) == []
    until_then = await store.audit.changes(ChangeQuery(until_ns=latest_ns))
    assert until_then == [change for change in everything if change.at_ns < latest_ns]


async def test_a_note_says_why(store: Store) -> None:
    await store.audit.note("ledger", "openai/m", Action.RE_RATED, {"entries": 3}, "a wrong price")

    (note,) = await store.log()

    assert (note.actor, note.action, note.reason) == (
        "somebody",
        Action.RE_RATED,
        "a wrong price",
    )
    assert (note.kind, note.name, note.after) == ("ledger", "openai/m", {"entries": 3})
