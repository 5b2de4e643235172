import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from itertools import islice
from uuid import UUID

from ...application.ports.clock import Clock
from ...application.ports.history import History, Past
from ...domain.admission import Ask
from ...domain.errors import StoreUnavailable
from ...domain.limits import Limit, Sliding
from ...domain.rebuild import place_of
from .met_limits import MetLimits

_AT_A_TIME = 500
_PAUSE_NS = 10**9
# So far a clock may step back, and counters are as if nothing of what counts again had been left
# out: what is read reaches back as far, and they are not forgotten any sooner.
STEP_BACK_NS = 60 * 10**9

_log = logging.getLogger(__name__)

Sow = Callable[[Sequence[Limit], Past, Collection[int]], None]


class Seeds:
    """Reads what a limit has counted before this process met it; limits that are met while a read
    is under way wait for the next one, together.

    `sow` is called with what was read, and with the numbers of those limits that have counters
    already, which are wrong; nothing happens in between.
    """

    def __init__(
        self, history: History, clock: Clock, *, sow: Sow, doubted: Callable[[], Collection[Ask]]
    ) -> None:
        self._history = history
        self._clock = clock
        self._sow = sow
        self._doubted = doubted
        self._met = MetLimits()
        self._wanted: dict[UUID, Limit] = {}
        self._reading: Mapping[UUID, Limit] = {}
        self._read = asyncio.Event()
        self._recounted: set[UUID] = set()
        self._recounted_all = False
        self._task: asyncio.Task[None] | None = None
        self._away_until_ns = 0

    def has_seen(self, ask: Ask, limits: Sequence[Limit]) -> bool:
        return self._met.has_seen(ask, limits)

    def notice(self, ask: Ask, limits: Sequence[Limit]) -> None:
        """In the step in which the call is decided."""
        self._met.notice(ask, limits)

    def forget(self, limits: Iterable[Limit]) -> None:
        """Their counters are not what the ledger says: they are read when they are next met."""
        self._met.forget(limits)

    def has_met(self, limit: Limit) -> bool:
        return not self._met.unmet([limit])

    def recount(self, scopes: Collection[UUID] | None) -> None:
        """What is read at the moment may not have it yet."""
        self._met.forget_of(scopes)
        self._recounted_all = self._recounted_all or scopes is None
        self._recounted.update(scopes or ())

    def met(self) -> list[Limit]:
        return self._met.all()

    def overlooked(self, ask: Ask) -> None:
        """A call of another process, perhaps, that its limits have not counted."""
        self._met.notice(ask, ())

    async def meet(self, limits: Sequence[Limit], within_s: float) -> bool:
        """Whether it was read what they have counted; False while the ledger cannot be read."""
        try:
            async with asyncio.timeout(within_s):
                while unmet := self._met.unmet(limits):
                    if self._clock.monotonic_ns() < self._away_until_ns:
                        return False
                    self._wanted.update(
                        (limit.id, limit) for limit in unmet if limit.id not in self._reading
                    )
                    if self._task is None:
                        self._task = asyncio.create_task(
                            self._read_wanted(), name="langroute-seeds"
                        )
                    await self._read.wait()
        except TimeoutError:
            self._is_away()
            return False
        return True

    async def ask_after(self) -> None:
        """Looks whether doubted calls have been settled elsewhere."""
        try:
            await self._read_past([])
        except StoreUnavailable:
            _log.warning("cannot see whether calls of another process are over; trying again")

    async def _read_wanted(self) -> None:
        try:
            while self._wanted:
                self._reading = dict(islice(self._wanted.items(), _AT_A_TIME))
                for limit_id in self._reading:
                    del self._wanted[limit_id]
                await self._read_past(list(self._reading.values()))
                self._tell()
        except StoreUnavailable:
            _log.warning("what limits have counted cannot be read from the ledger")
            self._is_away()
        except Exception:  # noqa: BLE001  (who waits must hear of it, whatever it is)
            _log.exception("what limits have counted cannot be read from the ledger")
            self._is_away()
        finally:
            self._task, self._reading = None, {}
            self._wanted.clear()
            self._tell()

    async def _read_past(self, limits: Sequence[Limit]) -> None:
        as_of_ns = self._clock.now_ns() - STEP_BACK_NS
        self._recounted.clear()
        self._recounted_all = False
        async with self._history.past(limits, as_of_ns, self._doubted()) as past:
            self._sow(limits, past, self._met.untrue(limits))
            self._met.add(self._met.unmet(limits))
            later_ns = self._clock.now_ns() - STEP_BACK_NS
            late = [limit for limit in limits if self._is_late(limit, as_of_ns, later_ns)]
            self._met.forget(late)

    def _is_late(self, limit: Limit, read_ns: int, now_ns: int) -> bool:
        """Whether it has to be read once more: it was corrected meanwhile, or another day began."""
        if self._recounted_all or limit.scope.id in self._recounted:
            return True
        is_over = place_of(limit, read_ns) != place_of(limit, now_ns)
        return is_over and not isinstance(limit.window, Sliding)

    def _is_away(self) -> None:
        self._away_until_ns = self._clock.monotonic_ns() + _PAUSE_NS

    def _tell(self) -> None:
        read, self._read = self._read, asyncio.Event()
        read.set()
