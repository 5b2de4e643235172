import asyncio
import logging
from collections.abc import Sequence

import asyncpg
import pytest

from langroute.adapters.postgres.batches import Batches


class Writer:
    """Writes numbers, but for those that it is told to fail for, so many times each."""

    def __init__(self, fails: dict[int, int], error: Exception) -> None:
        self._fails = fails
        self._error = error
        self.written: list[int] = []

    async def __call__(self, batch: Sequence[int]) -> None:
        for number in batch:
            if self._fails.get(number, 0):
                self._fails[number] -= 1
                raise self._error
        self.written += batch


async def written(writer: Writer, count: int) -> Batches[int]:
    batches = Batches(writer, what="numbers", gather_s=0.0)
    for number in range(count):
        batches.add(number)
    batches.start()
    async with asyncio.timeout(30):
        await batches.flush()
    assert len(batches) == 0
    assert not batches.is_failing
    await batches.aclose()
    return batches


ERRORS = [RuntimeError("a fault of ours"), asyncpg.CheckViolationError("values")]


@pytest.mark.parametrize("error", ERRORS, ids=type)
async def test_what_always_fails_holds_up_no_other_and_is_told_whole(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer({6: 10**9, 7: 10**9}, error)

    await written(writer, 300)

    assert writer.written == [number for number in range(300) if number not in {6, 7}]
    told = [line.getMessage() for line in caplog.records if line.levelno == logging.ERROR]
    assert told == ["left out of the numbers: 6", "left out of the numbers: 7"]


@pytest.mark.parametrize("error", [*ERRORS, asyncpg.DeadlockDetectedError("again")], ids=type)
async def test_what_fails_for_a_moment_is_written(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer({0: 2}, error)

    await written(writer, 1)

    assert writer.written == [0]
    assert all(line.levelno < logging.ERROR for line in caplog.records)
