import asyncio
from dataclasses import dataclass, field, replace
from uuid import uuid4

import pytest

from langroute.adapters.cache.virtual_keys import CachedKeys
from langroute.adapters.memory.virtual_keys import MemoryKeys
from langroute.domain.errors import StoreUnavailable
from langroute.domain.ids import KeyId
from langroute.domain.keys import VirtualKey, digest_of
from langroute.domain.limits import Limits


@dataclass
class Store:
    """Keys in memory that count how often they are asked, and can be slow or away."""

    keys: MemoryKeys = field(default_factory=MemoryKeys)
    asked: int = 0
    away: bool = False
    open: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.open.set()

    async def by_digest(self, digest: bytes) -> VirtualKey | None:
        self.asked += 1
        found = await self.keys.by_digest(digest)
        self.entered.set()
        await self.open.wait()
        if self.away:
            raise StoreUnavailable
        return found

    async def new_key(self, secret: str) -> VirtualKey:
        key = VirtualKey(
            id=KeyId(uuid4()),
            name=secret,
            digest=digest_of(secret),
            hint="",
            limits=Limits(),
            created_at_ns=0,
        )
        await self.keys.put(key)
        return key


async def test_a_key_is_read_once() -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")

    assert [await keys.by_digest(key.digest) for _ in range(3)] == [key] * 3
    assert store.asked == 1


async def test_that_there_is_no_such_key_is_read_once_and_until_it_is_made() -> None:
    store = Store()
    keys = CachedKeys(store)
    assert [await keys.by_digest(digest_of("a")) for _ in range(3)] == [None] * 3
    assert store.asked == 1

    key = await store.new_key("a")
    keys.forget(key.digest)

    assert await keys.by_digest(key.digest) == key


async def test_a_hit_never_yields_to_other_tasks() -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")
    await keys.by_digest(key.digest)

    hit = keys.by_digest(key.digest)

    with pytest.raises(StopIteration) as stopped:
        hit.send(None)
    assert stopped.value.value == key


async def test_callers_that_miss_at_once_share_one_question() -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")

    found = await asyncio.gather(*(keys.by_digest(key.digest) for _ in range(10)))

    assert found == [key] * 10
    assert store.asked == 1


async def test_a_caller_who_hangs_up_does_not_fail_the_others() -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")
    store.open.clear()
    first = asyncio.create_task(keys.by_digest(key.digest))
    await store.entered.wait()
    second = asyncio.create_task(keys.by_digest(key.digest))

    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    store.open.set()

    assert first.cancelled()
    assert await second == key
    assert store.asked == 1


@pytest.mark.parametrize("told", ["of the key", "of everything"])
async def test_what_was_read_before_a_change_is_not_kept(told: str) -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")
    store.open.clear()
    reading = asyncio.create_task(keys.by_digest(key.digest))
    await store.entered.wait()

    revoked = replace(key, revoked_at_ns=1)
    await store.keys.put(revoked)
    if told == "of the key":
        keys.forget(key.digest)
    else:
        keys.doubt_all()
    store.open.set()

    assert await reading == key
    assert await keys.by_digest(key.digest) == revoked
    assert store.asked == 2


async def test_a_caller_after_the_change_does_not_share_the_question_from_before_it() -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")
    store.open.clear()
    before = asyncio.create_task(keys.by_digest(key.digest))
    await store.entered.wait()
    revoked = replace(key, revoked_at_ns=1)
    await store.keys.put(revoked)
    keys.forget(key.digest)

    after = asyncio.create_task(keys.by_digest(key.digest))
    store.open.set()

    assert await before == key
    assert await after == revoked


async def test_keys_in_doubt_are_read_again_on_their_next_use_only() -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")
    await keys.by_digest(key.digest)
    changed = replace(key, name="changed")
    await store.keys.put(changed)

    keys.doubt_all()

    assert store.asked == 1
    assert [await keys.by_digest(key.digest) for _ in range(3)] == [changed] * 3
    assert store.asked == 2


async def test_a_key_in_doubt_serves_on_while_the_store_is_away() -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")
    await keys.by_digest(key.digest)
    store.away = True
    keys.doubt_all()

    assert [await keys.by_digest(key.digest) for _ in range(100)] == [key] * 100
    # The store is not asked by each of them: that would only make them wait.
    assert store.asked == 2


async def test_a_key_in_doubt_serves_on_while_the_store_does_not_answer() -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")
    await keys.by_digest(key.digest)
    store.open.clear()
    keys.doubt_all()

    assert await keys.by_digest(key.digest) == key
    store.open.set()


async def test_a_key_that_changed_for_certain_is_never_served_from_before() -> None:
    store = Store()
    keys = CachedKeys(store)
    key = await store.new_key("a")
    await keys.by_digest(key.digest)
    store.away = True

    keys.forget(key.digest)

    with pytest.raises(StoreUnavailable):
        await keys.by_digest(key.digest)


async def test_a_failure_is_not_remembered() -> None:
    store = Store(away=True)
    keys = CachedKeys(store)
    key = await store.new_key("a")
    with pytest.raises(StoreUnavailable):
        await keys.by_digest(key.digest)

    store.away = False

    assert await keys.by_digest(key.digest) == key


async def test_the_key_that_was_used_longest_ago_makes_room() -> None:
    store = Store()
    keys = CachedKeys(store, size=2)
    a, b, c = [await store.new_key(name) for name in "abc"]
    for key in (a, b, a, c):
        await keys.by_digest(key.digest)

    store.asked = 0
    await keys.by_digest(a.digest)
    await keys.by_digest(c.digest)
    assert store.asked == 0
    await keys.by_digest(b.digest)
    assert store.asked == 1


async def test_made_up_secrets_push_out_no_key_and_do_not_grow_without_end() -> None:
    store = Store()
    keys = CachedKeys(store, size=3)
    key = await store.new_key("a")
    await keys.by_digest(key.digest)

    for number in range(20):
        await keys.by_digest(digest_of(f"made up {number}"))

    store.asked = 0
    assert await keys.by_digest(key.digest) == key
    assert store.asked == 0
    assert len(keys) == 4
