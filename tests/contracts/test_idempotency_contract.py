"""What every store of replies must do."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from clocks import SteppedClock
from langroute.adapters.memory.idempotency import MemoryIdempotency
from langroute.adapters.postgres.database import Database
from langroute.adapters.postgres.idempotency import PostgresIdempotency
from langroute.application.ports.idempotency import IdempotentReplies
from langroute.domain.idempotency import (
    DAY_NS,
    OTHER_REQUEST,
    UNDER_WAY,
    Begun,
    KeptReply,
    RepeatableCall,
)
from langroute.domain.ids import KeyId
from postgres_fixtures import Databases

S = 10**9
REPLY = KeptReply(
    status=200,
    headers=(("content-type", "application/json"), ("x-langroute-cost", "0.01")),
    body=b'{"a": "\xc3\xa4\x00"}',
)


@dataclass(frozen=True, slots=True)
class Store:
    replies: IdempotentReplies
    clock: SteppedClock


@pytest.fixture(params=["memory", "postgres"])
async def store(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[Store]:
    clock = SteppedClock()
    if request.param == "memory":
        yield Store(MemoryIdempotency(clock), clock)
        return
    async with databases.migrated() as database:
        yield Store(PostgresIdempotency(database, clock), clock)


def a_call(
    name: str = "one", request: bytes = b"r" * 32, key: UUID | None = None
) -> RepeatableCall:
    return RepeatableCall(key_id=KeyId(key or UUID(int=1)), name=name, request=request)


async def begun(store: Store, call: RepeatableCall) -> UUID:
    owner = uuid4()
    assert await store.replies.begin(call, owner) == Begun(owner)
    return owner


async def test_what_was_answered_is_answered_again(store: Store) -> None:
    owner = await begun(store, a_call())
    await store.replies.keep(a_call(), owner, REPLY)
    for _ in range(2):
        assert await store.replies.begin(a_call(), uuid4()) == REPLY


async def test_a_stream_is_kept_as_one(store: Store) -> None:
    streamed = KeptReply(status=200, headers=(), body=b"data: 1\n\n", streamed=True)
    await store.replies.keep(a_call(), await begun(store, a_call()), streamed)
    assert await store.replies.begin(a_call(), uuid4()) == streamed


async def test_nobody_begins_what_another_one_is_at(store: Store) -> None:
    owner = await begun(store, a_call())
    assert await store.replies.begin(a_call(), uuid4()) == UNDER_WAY
    await store.replies.forget(a_call(), owner)
    await begun(store, a_call())


async def test_of_many_that_ask_at_once_one_begins(store: Store) -> None:
    found = await asyncio.gather(*(store.replies.begin(a_call(), uuid4()) for _ in range(20)))
    assert sum(isinstance(each, Begun) for each in found) == 1
    assert sum(each == UNDER_WAY for each in found) == 19


async def test_a_name_stands_for_one_request(store: Store) -> None:
    owner = await begun(store, a_call())
    other = a_call(request=b"o" * 32)
    assert await store.replies.begin(other, uuid4()) == OTHER_REQUEST
    await store.replies.keep(a_call(), owner, REPLY)
    assert await store.replies.begin(other, uuid4()) == OTHER_REQUEST


async def test_names_of_other_keys_are_other_names(store: Store) -> None:
    await begun(store, a_call())
    await begun(store, a_call(key=UUID(int=2), request=b"o" * 32))
    await begun(store, a_call("two"))


async def test_who_was_silent_for_too_long_is_replaced(store: Store) -> None:
    lost = await begun(store, a_call())
    lease_ns = int(store.replies.lease_s * S)
    store.clock.ns += lease_ns - 1000
    assert await store.replies.renew(a_call(), lost)
    store.clock.ns += lease_ns - 1000
    assert await store.replies.begin(a_call(), uuid4()) == UNDER_WAY
    store.clock.ns += 1000
    owner = await begun(store, a_call())
    assert not await store.replies.renew(a_call(), lost)
    await store.replies.keep(a_call(), lost, KeptReply(status=200, headers=(), body=b"late"))
    await store.replies.forget(a_call(), lost)
    assert await store.replies.begin(a_call(), uuid4()) == UNDER_WAY
    await store.replies.keep(a_call(), owner, REPLY)
    assert await store.replies.begin(a_call(), uuid4()) == REPLY


async def test_what_is_kept_stays_so_whoever_forgets_it(store: Store) -> None:
    owner = await begun(store, a_call())
    await store.replies.keep(a_call(), owner, REPLY)
    await store.replies.forget(a_call(), owner)
    await store.replies.keep(a_call(), owner, KeptReply(status=400, headers=(), body=b""))
    assert not await store.replies.renew(a_call(), owner)
    assert await store.replies.begin(a_call(), uuid4()) == REPLY


async def test_after_a_day_the_name_is_free_again(store: Store) -> None:
    await store.replies.keep(a_call(), await begun(store, a_call()), REPLY)
    store.clock.ns += DAY_NS - 1000
    assert await store.replies.begin(a_call(), uuid4()) == REPLY
    store.clock.ns += 1000
    other = a_call(request=b"o" * 32)
    owner = await begun(store, other)
    assert await store.replies.begin(other, uuid4()) == UNDER_WAY
    await store.replies.keep(other, owner, REPLY)
    assert await store.replies.begin(other, uuid4()) == REPLY


async def test_what_is_older_than_a_day_is_swept(store: Store) -> None:
    for name in ("one", "two"):
        await store.replies.keep(a_call(name), await begun(store, a_call(name)), REPLY)
    store.clock.ns += DAY_NS // 2
    await begun(store, a_call("three"))
    assert await store.replies.sweep() == 0
    store.clock.ns += DAY_NS // 2
    assert await store.replies.sweep() == 2
    assert await store.replies.sweep() == 0


async def test_several_processes_share_what_postgres_keeps(databases: Databases) -> None:
    clock = SteppedClock()
    async with databases.url() as url:
        nodes = [Database(url) for _ in range(2)]
        one, other = (PostgresIdempotency(node, clock) for node in nodes)
        owner = uuid4()
        assert await one.begin(a_call(), owner) == Begun(owner)
        assert await other.begin(a_call(), uuid4()) == UNDER_WAY
        await one.keep(a_call(), owner, REPLY)
        assert await other.begin(a_call(), uuid4()) == REPLY
        for node in nodes:
            await node.aclose()


async def test_memory_lets_go_of_the_oldest_where_there_is_too_much() -> None:
    clock = SteppedClock()
    memory = MemoryIdempotency(clock, most=3, most_bytes=3 * len(REPLY.body))
    store = Store(memory, clock)
    under_way = await begun(store, a_call("under way"))
    for name in ("1", "2", "3", "4"):
        await memory.keep(a_call(name), await begun(store, a_call(name)), REPLY)
        assert len(memory) <= 3
    assert await memory.begin(a_call("4"), uuid4()) == REPLY
    assert await memory.begin(a_call("under way"), uuid4()) == UNDER_WAY
    large = KeptReply(status=200, headers=(), body=b"x" * 3 * len(REPLY.body))
    await memory.keep(a_call("under way"), under_way, large)
    assert len(memory) == 1
