from dataclasses import dataclass, field
from uuid import uuid4

from langroute.adapters.cache.credentials import CachedCredentials
from langroute.adapters.memory.credentials import MemoryCredentials
from langroute.domain.credentials import Credential
from langroute.domain.ids import KeyId


@dataclass
class CountedCredentials(MemoryCredentials):
    """Credentials in memory that remember whose were asked for."""

    asked: list[KeyId | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    async def of(self, owner: KeyId | None) -> tuple[Credential, ...]:
        self.asked.append(owner)
        return await super().of(owner)

    async def new(self, owner: KeyId | None, provider: str) -> Credential:
        credential = Credential(owner=owner, provider=provider, sealed=str(uuid4()))
        await self.put(credential)
        return credential


async def test_every_provider_of_a_key_is_read_at_once() -> None:
    store = CountedCredentials()
    cached = CachedCredentials(store)
    owner = KeyId(uuid4())
    own, shared = await store.new(owner, "openai"), await store.new(None, "mistral")

    for _ in range(3):
        assert await cached.find(owner, "openai") == own
        assert await cached.find(owner, "mistral") == shared
        assert await cached.find(owner, "nobody") is None

    assert store.asked == [owner, None]


async def test_the_shared_ones_are_read_once_for_all_keys() -> None:
    store = CountedCredentials()
    cached = CachedCredentials(store)
    shared = await store.new(None, "openai")
    owners = [KeyId(uuid4()) for _ in range(3)]

    assert [await cached.find(owner, "openai") for owner in owners] == [shared] * 3
    assert store.asked.count(None) == 1


async def test_a_new_credential_of_its_own_takes_over() -> None:
    store = CountedCredentials()
    cached = CachedCredentials(store)
    owner = KeyId(uuid4())
    shared = await store.new(None, "openai")
    assert await cached.find(owner, "openai") == shared

    own = await store.new(owner, "openai")
    cached.forget(owner)
    assert await cached.find(owner, "openai") == own

    await store.remove(owner, "openai")
    cached.forget(owner)
    assert await cached.find(owner, "openai") == shared


async def test_a_new_shared_one_serves_keys_that_were_seen_before() -> None:
    store = CountedCredentials()
    cached = CachedCredentials(store)
    owner = KeyId(uuid4())
    assert await cached.find(owner, "openai") is None

    shared = await store.new(None, "openai")
    cached.forget(None)

    assert await cached.find(owner, "openai") == shared
