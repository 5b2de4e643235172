import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from typing import Any

from ..stop import Stop
from .post import Post, WorkerFailed

# A worker that is starting does not know better.
_IN_ORDER = frozenset({0, -signal.SIGTERM})

_log = logging.getLogger(__name__)


class Crew:
    """Workers that start, are renewed, and end together. Once asked to, one may take `grace_s` to
    end, and once asked again, `cut_off_s`; then it is killed."""

    def __init__(self, posts: Sequence[Post], *, grace_s: float, cut_off_s: float = 5.0) -> None:
        self._posts = posts
        self._grace_s = grace_s
        self._cut_off_s = cut_off_s

    async def work(self, stop: Stop, renewal: asyncio.Event, on_ready: Callable[[], None]) -> bool:
        """Until `stop`, or until there is no use in going on: raises WorkerFailed. Returns whether
        all ended by themselves; none is left, either way."""
        working = asyncio.create_task(self._work(renewal, on_ready))
        asked = asyncio.create_task(stop.asked.wait())
        try:
            await asyncio.wait({working, asked}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
        finally:
            for task in (working, asked):
                task.cancel()
            await asyncio.gather(working, asked, return_exceptions=True)
            in_order = await self._end(stop.at_once)
        return in_order

    async def _work(self, renewal: asyncio.Event, on_ready: Callable[[], None]) -> None:
        try:
            async with asyncio.TaskGroup() as starting:
                for post in self._posts:
                    starting.create_task(post.start())
            on_ready()
            async with asyncio.TaskGroup() as keeping:
                for post in self._posts:
                    keeping.create_task(post.keep(self._others_of(post)))
                keeping.create_task(self._renew(renewal))
        except ExceptionGroup as group:
            failed = next((e for e in group.exceptions if isinstance(e, WorkerFailed)), None)
            raise failed or group from None

    async def _renew(self, renewal: asyncio.Event) -> None:
        while True:
            await renewal.wait()
            renewal.clear()
            try:
                for post in self._posts:
                    await post.renew(self._grace_s)
            except WorkerFailed as error:
                _log.error("%s; the others stay as they are", error)
            else:
                _log.info("all workers are new")

    def _others_of(self, post: Post) -> Callable[[], bool]:
        return lambda: any(other.serves for other in self._posts if other is not post)

    async def _end(self, at_once: asyncio.Event) -> bool:
        workers = [worker for post in self._posts for worker in post.everyone()]
        ended = asyncio.gather(*(worker.ended() for worker in workers))
        hurried = asyncio.create_task(at_once.wait())
        for worker in workers:
            worker.ask_to_end()
        either: set[asyncio.Future[Any]] = {ended, hurried}
        await asyncio.wait(either, timeout=self._grace_s, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            for worker in workers:
                worker.hurry()
            await asyncio.wait({ended}, timeout=self._cut_off_s)
        hurried.cancel()
        for worker in workers:
            worker.kill()
        return _IN_ORDER.issuperset(await ended)
