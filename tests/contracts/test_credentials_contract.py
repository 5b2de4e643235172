"""What every store of provider credentials must do."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from langroute.adapters.memory.credentials import MemoryCredentials
from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.adapters.postgres.credentials import PostgresCredentials
from langroute.adapters.postgres.virtual_keys import PostgresKeys
from langroute.application.ports.credentials import Credentials
from langroute.application.ports.virtual_keys import VirtualKeys
from langroute.domain.credentials import Credential
from langroute.domain.ids import KeyId
from postgres_fixtures import Databases
from samples import new_key


@dataclass(frozen=True, slots=True)
class Store:
    credentials: Credentials
    keys: VirtualKeys

    async def new_owner(self) -> KeyId:
        key = new_key()
        await self.keys.put(key)
        return key.id

    async def put(self, owner: KeyId | None, provider: str, sealed: str = "sealed") -> Credential:
        credential = Credential(owner=owner, provider=provider, sealed=sealed)
        await self.credentials.put(credential)
        return credential


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield Store(MemoryCredentials(), MemoryKeys())
        return
    async with databases.migrated() as database:
        yield Store(PostgresCredentials(database), PostgresKeys(database))


async def test_the_keys_own_credential_wins_over_the_shared_one(store: Store) -> None:
    owner, other = await store.new_owner(), await store.new_owner()
    shared = await store.put(None, "openai", "shared")
    own = await store.put(owner, "openai", "own")

    assert await store.credentials.find(owner, "openai") == own
    assert await store.credentials.find(other, "openai") == shared
    assert await store.credentials.find(owner, "mistral") is None


async def test_each_owner_has_only_its_own(store: Store) -> None:
    owner, other = await store.new_owner(), await store.new_owner()
    shared = await store.put(None, "openai")
    own = {await store.put(owner, "openai"), await store.put(owner, "mistral")}

    assert set(await store.credentials.of(owner)) == own
    assert await store.credentials.of(other) == ()
    assert await store.credentials.of(None) == (shared,)


async def test_a_credential_put_again_replaces_the_one_before(store: Store) -> None:
    owner = await store.new_owner()
    for whose in (None, owner):
        await store.put(whose, "openai", "old")

        new = await store.put(whose, "openai", "new")

        assert await store.credentials.of(whose) == (new,)


async def test_removing_tells_whether_there_was_one(store: Store) -> None:
    owner = await store.new_owner()
    await store.put(None, "openai")
    own = await store.put(owner, "openai")

    assert await store.credentials.remove(None, "openai")
    assert not await store.credentials.remove(None, "openai")
    assert await store.credentials.all() == (own,)


async def test_all_are_told_with_the_shared_ones_first(store: Store) -> None:
    owner = await store.new_owner()
    own = await store.put(owner, "a")
    last = await store.put(None, "b-b")
    first = await store.put(None, "b.a")

    assert await store.credentials.all() == (last, first, own)
