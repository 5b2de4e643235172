import asyncio
from types import TracebackType


class TimeLimit:
    """`asyncio.timeout`, for what is begun a thousand times a second and hardly ever late: one
    timer serves all that is under way, which is due in the order in which it began.

    `with limit(): …` raises TimeoutError once it has taken `after_s`.
    """

    def __init__(self, after_s: float) -> None:
        self._after_s = after_s
        self._loop: asyncio.AbstractEventLoop | None = None
        self._under_way: dict[_Timed, float] = {}
        self._is_timed = False

    def __call__(self) -> "_Timed":
        return _Timed(self)

    def begin(self, timed: "_Timed") -> None:
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # what one loop has left behind, no other one can end
            self._loop, self._under_way, self._is_timed = loop, {}, False
        due_s = self._under_way[timed] = loop.time() + self._after_s
        if not self._is_timed:
            self._is_timed = True
            loop.call_at(due_s, self._look)

    def end(self, timed: "_Timed") -> None:
        self._under_way.pop(timed, None)

    def _look(self) -> None:
        loop = asyncio.get_running_loop()
        while first := next(iter(self._under_way.items()), None):
            timed, due_s = first
            if due_s > loop.time():
                loop.call_at(due_s, self._look)
                return
            del self._under_way[timed]
            timed.cut_off()
        self._is_timed = False


class _Timed:
    __slots__ = ("_before", "_is_late", "_limit", "_task")

    def __init__(self, limit: TimeLimit) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (there is no other way to wait for anything)
        self._limit = limit
        self._task = task
        self._before = task.cancelling()
        self._is_late = False

    def __enter__(self) -> None:
        self._limit.begin(self)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._limit.end(self)
        # Whoever else has cancelled it as well means it.
        if (
            self._is_late
            and self._task.uncancel() <= self._before
            and kind is asyncio.CancelledError
        ):
            raise TimeoutError from error

    def cut_off(self) -> None:
        self._is_late = True
        self._task.cancel()
