"""Counters that many calls want at once are made in a few steps, and none fails for another."""

import asyncio
from collections.abc import Sequence
from uuid import uuid4

import pytest

from langroute.adapters.postgres.counter_queue import CounterQueue
from langroute.domain.admission import Counted, CounterId
from langroute.domain.limits import Limit, Measure
from langroute.domain.organizations import key_scope


class Makes:
    """What was made together. Each step waits for `go`; one with a `broken` counter fails."""

    def __init__(self) -> None:
        self.batches: list[Sequence[Counted]] = []
        self.broken: set[CounterId] = set()
        self.go = asyncio.Event()

    async def __call__(self, counting: Sequence[Counted]) -> None:
        self.batches.append(counting)
        await self.go.wait()
        if self.broken.intersection(each.counter_id for each in counting):
            raise OSError("broken")


def a_counter() -> Counted:
    limit = Limit(scope=key_scope(uuid4()), measure=Measure.TOKENS, amount=1)
    return Counted(limit, CounterId(limit.id))


async def all_of(*made: asyncio.Future[None]) -> list[BaseException | None]:
    async with asyncio.timeout(10):
        return await asyncio.gather(*made, return_exceptions=True)


async def test_what_is_wanted_while_others_are_made_is_made_together() -> None:
    makes = Makes()
    queue = CounterQueue(makes)
    counters = [a_counter() for _ in range(100)]
    first = queue.wanted(counters[0])
    while not makes.batches:
        await asyncio.sleep(0)
    others = [queue.wanted(each) for each in counters[1:]]
    again = [queue.wanted(each) for each in counters]
    makes.go.set()
    assert await all_of(first, *others, *again) == [None] * 200
    assert makes.batches == [counters[:1], counters[1:]]


@pytest.mark.parametrize("at", [0, 1, 49])
async def test_one_that_cannot_be_made_fails_once_for_others(at: int) -> None:
    makes = Makes()
    makes.go.set()
    queue = CounterQueue(makes)
    counters = [a_counter() for _ in range(50)]
    makes.broken = {counters[at].counter_id}
    failed = await all_of(*map(queue.wanted, counters))
    assert all(isinstance(error, OSError) for error in failed)
    then = await all_of(*map(queue.wanted, counters))
    assert [number for number, error in enumerate(then) if error is not None] == [at]
    makes.broken.clear()
    assert await all_of(queue.wanted(counters[at])) == [None]


async def test_nobody_waits_for_a_queue_that_is_closed() -> None:
    makes = Makes()
    queue = CounterQueue(makes)
    wanted = queue.wanted(a_counter())
    while not makes.batches:
        await asyncio.sleep(0)
    await queue.aclose()
    assert wanted.cancelled()
