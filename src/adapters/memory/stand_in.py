import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ...application.ports.admission import Admission
from ...application.ports.clock import Clock
from ...domain.admission import Ask, Reservation
from ...domain.errors import StoreUnavailable
from ...domain.limits import Limit, Refusal, Standing
from ...domain.money import Money
from ...domain.stores import Store
from ...domain.usage import TokenUsage
from .admission import MemoryAdmission

_PAUSE_S = 0.5
# Some kilobytes each.
_MOST_LENT = 50_000

_log = logging.getLogger(__name__)


class SharedAdmission(Admission, Protocol):
    """Counts for several processes, elsewhere."""

    async def count(self, ask: Ask, limits: Sequence[Limit]) -> None:
        """A call that was admitted without it, whatever the limits say: it holds it from now on.
        If the call is over already, and that is written, it knows that. Raises
        StoreUnavailable."""
        ...


@dataclass(slots=True)
class _Lent:
    ask: Ask
    limits: Sequence[Limit]
    used: tuple[TokenUsage, Money] | None = None


class StandIn:
    """While the shared store is away, this process decides by itself, with its share of each limit:
    one of `sharers`, and at least 1 of whatever is allowed. Once the store is back, it counts what
    was admitted meanwhile before it decides again.

    A share begins with nothing used each time. What was admitted meanwhile is lost with the
    process. Of more than `most` calls that wait to be counted, none is admitted: StoreUnavailable.
    """

    def __init__(
        self, store: SharedAdmission, clock: Clock, sharers: int, *, most: int = _MOST_LENT
    ) -> None:
        self._store = store
        self._clock = clock
        self._sharers = sharers
        self._most = most
        self._share: MemoryAdmission | None = None
        self._lent: dict[int, _Lent] = {}
        self._returning: asyncio.Task[None] | None = None
        self._is_away = False
        self._is_stuck = False
        self._progress = asyncio.Event()

    async def admit(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Reservation | Refusal, Sequence[Standing]]:
        if self._share is None:
            try:
                return await self._store.admit(ask, limits)
            except StoreUnavailable:
                pass
        if len(self._lent) >= self._most:
            raise StoreUnavailable(Store.COUNTERS)
        share = self._present_share()
        decision, standings = await share.admit(ask, self._shares(limits))
        if isinstance(decision, Reservation):
            self._lent[ask.request_id.int] = _Lent(ask, limits)
            self._step_in(share)
        return decision, standings

    async def foresee(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Refusal | None, Sequence[Standing]]:
        if self._share is None:
            try:
                return await self._store.foresee(ask, limits)
            except StoreUnavailable:
                pass
        return await self._present_share().foresee(ask, self._shares(limits))

    def settle(
        self, reservation: Reservation, usage: TokenUsage, cost: Money
    ) -> Sequence[Standing] | None:
        lent = self._lent.get(reservation.ask.request_id.int)
        if lent is None or self._share is None:
            return self._store.settle(reservation, usage, cost)
        standings = self._share.settle(reservation, usage, cost)
        if standings is not None:
            lent.used = usage, cost
        return standings

    async def expired(self) -> Sequence[Reservation]:
        if self._share is None:
            return await self._store.expired()
        # What the store may have admitted, and did not say, is decided here: it must not give that
        # back before it has been told so.
        return await self._share.expired()

    async def counted(self) -> None:
        """Returns once the store has counted the calls that are over. Raises TimeoutError while it
        is away; what it does not understand is not waited for."""
        while any(lent.used is not None for lent in self._lent.values()):
            if self._is_away:
                raise TimeoutError("calls wait for the limits' store")
            if self._is_stuck:
                return
            await self._progress.wait()

    async def aclose(self) -> None:
        if self._returning is not None:
            self._returning.cancel()
            await asyncio.gather(self._returning, return_exceptions=True)
        self._is_away, self._is_stuck = False, True
        self._tell_progress()
        if self._lent:
            _log.error("%d calls were never counted by the limits' store", len(self._lent))

    def _present_share(self) -> MemoryAdmission:
        # One that has counted nothing is false, and is the one all the same.
        return MemoryAdmission(self._clock) if self._share is None else self._share

    def _step_in(self, share: MemoryAdmission) -> None:
        if self._share is None:
            _log.warning("the limits' store is away: deciding by 1/%d of each", self._sharers)
            self._share = share
            self._returning = asyncio.create_task(self._return(), name="langroute-stand-in")

    async def _return(self) -> None:
        while self._lent:
            try:
                await self._count()
            except StoreUnavailable:
                self._is_away = True
                await self._pause()
            except Exception:  # noqa: BLE001  (if this ended, the store would never decide again)
                _log.exception("cannot tell the limits' store what it missed; trying again")
                self._is_stuck = True
                await self._pause()
        _log.warning("the limits' store is back, and decides again")
        self._share = self._returning = None

    async def _pause(self) -> None:
        self._tell_progress()
        await asyncio.sleep(_PAUSE_S)

    def _tell_progress(self) -> None:
        progress, self._progress = self._progress, asyncio.Event()
        progress.set()

    async def _count(self) -> None:
        for number, lent in list(self._lent.items()):
            try:
                await self._store.count(lent.ask, lent.limits)
            except Exception:
                # It may be this call's fault alone: the others come before it the next time.
                self._lent[number] = self._lent.pop(number)
                raise
            self._is_away = self._is_stuck = False
            del self._lent[number]
            self._tell_progress()
            if lent.used is not None:
                self._store.settle(Reservation(ask=lent.ask), *lent.used)

    def _shares(self, limits: Sequence[Limit]) -> Sequence[Limit]:
        return [
            replace(limit, amount=max(min(1, limit.amount), limit.amount // self._sharers))
            for limit in limits
        ]


_: type[Admission] = StandIn
