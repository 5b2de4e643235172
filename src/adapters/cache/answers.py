import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ...domain.errors import StoreUnavailable

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

# While the store is away, one call a second finds out whether it is back, and waits no longer than
# this; the others do not wait.
_ASK_AGAIN_S = 1.0
_PATIENCE_S = 1.0


@dataclass(slots=True)
class _Answer(Generic[V]):
    value: V
    age: int


class Answers(Generic[K, V]):
    """What a store answered, for as long as nobody says that it changed.

    Bounded: the answer that was used longest ago goes first. Answers of `nothing` have a room of
    their own, so that made-up questions push out no real answer. When several ask for the same at
    once, the store is asked once. An answer that is in doubt is asked for again on its next use,
    and serves on if the store is away.
    """

    def __init__(self, load: Callable[[K], Awaitable[V]], *, size: int, nothing: object) -> None:
        self._load = load
        self._size = size
        self._nothing = nothing
        self._something: OrderedDict[K, _Answer[V]] = OrderedDict()
        self._negative: OrderedDict[K, _Answer[V]] = OrderedDict()
        self._loading: dict[K, asyncio.Task[V]] = {}
        self._age = 0
        self._ask_again_at_s = 0.0

    async def get(self, key: K) -> V:
        """Raises StoreUnavailable where there is no answer at all."""
        for answers in (self._something, self._negative):
            answer = answers.get(key)
            if answer is not None:
                answers.move_to_end(key)
                return answer.value if answer.age == self._age else await self._again(key, answer)
        return await self._ask(key)

    def forget(self, key: K) -> None:
        self._something.pop(key, None)
        self._negative.pop(key, None)
        # What is on its way was read before the change: it must not be kept.
        self._loading.pop(key, None)

    def doubt_all(self) -> None:
        self._age += 1
        self._loading.clear()

    def __len__(self) -> int:
        return len(self._something) + len(self._negative)

    async def _again(self, key: K, doubtful: _Answer[V]) -> V:
        loop = asyncio.get_running_loop()
        if loop.time() < self._ask_again_at_s:
            return doubtful.value
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await self._ask(key)
        except (StoreUnavailable, TimeoutError):
            self._ask_again_at_s = loop.time() + _ASK_AGAIN_S
            return doubtful.value

    async def _ask(self, key: K) -> V:
        task = self._loading.get(key)
        if task is None:
            # A task of its own: that one caller hangs up must not fail the others.
            task = asyncio.create_task(self._load_and_keep(key))
            task.add_done_callback(_seen)
            self._loading[key] = task
        return await asyncio.shield(task)

    async def _load_and_keep(self, key: K) -> V:
        this = asyncio.current_task()
        try:
            value = await self._load(key)
            if self._loading.get(key) is this:
                self._keep(key, value)
            return value
        finally:
            if self._loading.get(key) is this:
                del self._loading[key]

    def _keep(self, key: K, value: V) -> None:
        self._something.pop(key, None)
        self._negative.pop(key, None)
        answers = self._negative if value == self._nothing else self._something
        answers[key] = _Answer(value, self._age)
        if len(answers) > self._size:
            answers.popitem(last=False)


def _seen(task: "asyncio.Task[V]") -> None:
    """An error that no caller waited for is nobody's loss."""
    if not task.cancelled():
        task.exception()
