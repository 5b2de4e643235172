"""What many calls want at once is made in a few steps, and none fails for another."""

import asyncio
from collections.abc import Sequence

import pytest

from langroute.adapters.system.made_together import MadeTogether


class Makes:
    """What was made together. Each step waits for `go`; one with `broken` in it fails."""

    def __init__(self) -> None:
        self.batches: list[Sequence[str]] = []
        self.broken: str | None = None
        self.go = asyncio.Event()

    async def __call__(self, wanted: Sequence[str]) -> int:
        self.batches.append(wanted)
        await self.go.wait()
        if self.broken in wanted:
            raise OSError("broken")
        return len(wanted)


def a_queue(makes: Makes) -> MadeTogether[int, str, int]:
    return MadeTogether(makes, what="things")


def all_wanted(
    queue: MadeTogether[int, str, int], things: Sequence[str]
) -> list[asyncio.Future[int]]:
    return [queue.wanted(int(each), each) for each in things]


async def all_of(made: Sequence[asyncio.Future[int]]) -> list[int | BaseException]:
    async with asyncio.timeout(10):
        return await asyncio.gather(*made, return_exceptions=True)


THINGS = [str(number) for number in range(100)]


async def test_what_is_wanted_while_others_are_made_is_made_together() -> None:
    makes = Makes()
    queue = a_queue(makes)
    first = all_wanted(queue, THINGS[:1])
    while not makes.batches:
        await asyncio.sleep(0)
    others = all_wanted(queue, THINGS[1:])
    again = all_wanted(queue, THINGS)
    makes.go.set()
    assert await all_of([*first, *others]) == await all_of(again) == [1, *[99] * 99]
    assert makes.batches == [THINGS[:1], THINGS[1:]]


@pytest.mark.parametrize("at", [0, 1, 49])
async def test_one_that_cannot_be_made_fails_once_for_others(at: int) -> None:
    makes = Makes()
    makes.go.set()
    queue = a_queue(makes)
    makes.broken = THINGS[at]
    failed = await all_of(all_wanted(queue, THINGS))
    assert all(isinstance(error, OSError) for error in failed)
    then = await all_of(all_wanted(queue, THINGS))
    assert [which for which, made in enumerate(then) if isinstance(made, OSError)] == [at]
    makes.broken = None
    assert await all_of(all_wanted(queue, [THINGS[at]])) == [1]


async def test_nobody_waits_for_a_queue_that_is_closed() -> None:
    makes = Makes()
    queue = a_queue(makes)
    (wanted,) = all_wanted(queue, THINGS[:1])
    while not makes.batches:
        await asyncio.sleep(0)
    await queue.aclose()
    assert wanted.cancelled()
