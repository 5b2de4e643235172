import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .places import ListeningPlace
from .process import WorkerProcess

_log = logging.getLogger(__name__)

Start = Callable[[ListeningPlace], Awaitable[WorkerProcess]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """With workers that end too soon: one that has lived for `proven_s` begins anew."""

    proven_s: float = 10.0
    first_pause_s: float = 0.5
    longest_pause_s: float = 10.0
    tries: int = 5

    def pause_s(self, failures: int) -> float:
        """The first is replaced at once."""
        if failures < 2:  # noqa: PLR2004
            return 0.0
        return min(self.first_pause_s * 2.0 ** (failures - 2), self.longest_pause_s)


class WorkerFailed(Exception):
    """There is no use in starting it again."""


class Post:
    """Where there is always a worker: one that ends is replaced at once, and one that does so again
    and again after longer and longer pauses."""

    def __init__(
        self,
        number: int,
        place: ListeningPlace,
        start: Start,
        patience: Patience = Patience(),
    ) -> None:
        self._number = number
        self._place = place
        self._start_process = start
        self._patience = patience
        self._worker: WorkerProcess | None = None
        self._all: list[WorkerProcess] = []
        self._changing = asyncio.Lock()
        self._failures = 0

    @property
    def serves(self) -> bool:
        return self._worker is not None and self._worker.is_running

    def everyone(self) -> list[WorkerProcess]:
        """Also one that starts, and one that finishes its last calls while another serves."""
        self._all = [worker for worker in self._all if not worker.is_over]
        return self._all

    async def start(self) -> None:
        """Returns once it serves. Raises WorkerFailed."""
        worker = await self._start_process(self._place)
        self._all = [*self.everyone(), worker]
        if not await worker.ready():
            worker.kill()  # where it does nothing at all
            raise WorkerFailed(f"worker {self._number} {_how(await worker.ended())} at its start")
        self._worker = worker

    async def keep(self, others_serve: Callable[[], bool]) -> None:
        """For ever. Raises WorkerFailed once nobody serves and trying again has not helped."""
        while True:
            worker = self._worker
            assert worker is not None  # noqa: S101  (it was started)
            how = _how(await worker.ended())
            async with self._changing:
                if self._worker is worker:
                    _log.warning("worker %d (process %d) %s", self._number, worker.pid, how)
                    self._failures = (
                        1 if worker.age_s > self._patience.proven_s else self._failures + 1
                    )
                    await self._replace(others_serve)

    async def renew(self, grace_s: float) -> None:
        """Its successor serves before it is asked to end. Raises WorkerFailed, and it stays, where
        no successor can be started."""
        async with self._changing:
            before = self._worker
            await self.start()
        if before is None:
            return
        before.ask_to_end()
        try:
            async with asyncio.timeout(grace_s):
                await before.ended()
        except TimeoutError:
            before.kill()
            await before.ended()

    async def _replace(self, others_serve: Callable[[], bool]) -> None:
        while True:
            if self._failures > self._patience.tries and not others_serve():
                raise WorkerFailed(
                    f"worker {self._number} ends again and again, and no other serves"
                )
            await self._pause()
            try:
                return await self.start()
            except WorkerFailed as error:
                self._failures += 1
                _log.error("%s; trying again", error)

    async def _pause(self) -> None:
        pause_s = self._patience.pause_s(self._failures)
        if not pause_s:
            return
        self._place.pause()
        await asyncio.sleep(pause_s)
        try:
            self._place.resume()
        except OSError as error:
            raise WorkerFailed(f"cannot listen again: {error.strerror}") from error


def _how(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"
