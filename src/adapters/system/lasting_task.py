import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class LastingTask:
    """One task of a name, from `start` until `aclose`, which cancels it and waits for that."""

    def __init__(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._work = work
        self._name = name
        self._task: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        return self._task is not None

    def start(self) -> None:
        self._task = asyncio.create_task(self._work(), name=self._name)

    async def aclose(self) -> None:
        """Nothing where it never started."""
        if self._task is None:
            return
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._task = None
