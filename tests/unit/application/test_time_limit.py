import asyncio

import pytest

from langroute.application.time_limit import TimeLimit

LONG_S = 60


async def test_what_takes_too_long_is_cut_off_and_what_follows_it_is_not() -> None:
    limit = TimeLimit(0.02)
    for _ in range(2):
        with pytest.raises(TimeoutError), limit():
            await asyncio.sleep(LONG_S)
    with limit():
        await asyncio.sleep(0)
    task = asyncio.current_task()
    assert task is not None
    assert not task.cancelling()


async def test_each_has_its_own_time_whenever_it_began() -> None:
    limit = TimeLimit(0.1)
    loop = asyncio.get_running_loop()
    took: list[float] = []

    async def timed() -> None:
        began_s = loop.time()
        with pytest.raises(TimeoutError), limit():
            await asyncio.sleep(LONG_S)
        took.append(loop.time() - began_s)

    async def soon_over() -> None:
        with limit():
            await asyncio.sleep(0)

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(timed())
            tasks.create_task(soon_over())
            await asyncio.wait({asyncio.create_task(soon_over())}, timeout=0.01)

    assert len(took) == 3
    assert min(took) >= 0.09


async def test_who_is_cancelled_by_somebody_else_is_cancelled() -> None:
    limit = TimeLimit(LONG_S)

    async def timed() -> None:
        with limit():
            await asyncio.sleep(LONG_S)

    task = asyncio.create_task(timed())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_within_is_that_error() -> None:
    with pytest.raises(KeyError), TimeLimit(LONG_S)():
        raise KeyError


def test_one_limit_may_serve_one_event_loop_after_another() -> None:
    limit = TimeLimit(0.02)

    async def left_behind() -> None:
        with limit():
            await asyncio.sleep(0)

    async def late() -> None:
        with pytest.raises(TimeoutError), limit():
            await asyncio.sleep(LONG_S)

    for work in (left_behind, late, left_behind, late):
        asyncio.run(work())
