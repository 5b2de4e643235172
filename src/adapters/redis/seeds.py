import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from ...application.ports.history import History
from ...domain.admission import Reservation
from ...domain.errors import StoreUnavailable
from ...domain.ids import RequestId
from ...domain.limits import Limit
from ...domain.stores import Store
from ..system.made_together import MadeTogether
from .line import Line
from .names import known_key, tenant_of
from .orders import Order
from .seed_orders import SeedOrders

_WITHIN_S = 3.0
_TRIES = 4
_OUTDATED = -1


class _Wanted(NamedTuple):
    tenant: UUID
    limit: Limit


_Over = Mapping[_Wanted, Collection[RequestId]]


class Seeds:
    """Tells the server what limits have counted that it does not know of: since they are new, or it
    is. What it is told of a limit a second time changes nothing. All that are new together, of
    whichever tenants, are read from the ledger together.

    `open_here` are this process's calls under way; for `now`, see `RedisAdmission.now`.
    """

    def __init__(
        self,
        history: History,
        line: Line,
        open_here: Callable[[], Iterable[Reservation]],
        now: Callable[[], tuple[str, int]],
    ) -> None:
        self._history = history
        self._line = line
        self._open_here = open_here
        self._now = now
        self._sown: MadeTogether[str, _Wanted, _Over] = MadeTogether(
            self._sow, what="what limits have counted"
        )

    async def sow(self, tenant: UUID, limits: Sequence[Limit]) -> Sequence[Collection[RequestId]]:
        """Calls that need the same limit wait together. Returns for each which calls, of whomever,
        were counted as being over. Raises StoreUnavailable."""
        wanted = [_Wanted(tenant, limit) for limit in limits]
        sown = [self._sown.wanted(known_key(tenant.hex, each.limit), each) for each in wanted]
        _, waiting = await asyncio.wait(sown, timeout=_WITHIN_S)
        if waiting or any(future.cancelled() for future in sown):
            raise StoreUnavailable(Store.COUNTERS)
        return [future.result()[each] for future, each in zip(sown, wanted, strict=True)]

    async def aclose(self) -> None:
        """Whoever waits is told that the store is away."""
        await self._sown.aclose()

    async def _sow(self, wanted: Sequence[_Wanted]) -> _Over:
        """Some of it again where calls were corrected meanwhile."""
        over: dict[_Wanted, Collection[RequestId]] = {}
        for _ in range(_TRIES):
            orders = await self._post(wanted, over)
            answers = await asyncio.gather(*(self._line.answer_to(order) for _, order in orders))
            outdated = {
                each
                for (each, _), answer in zip(orders, answers, strict=True)
                if answer == _OUTDATED
            }
            if not outdated:
                break
            wanted = list(outdated)
        return over

    async def _post(
        self, wanted: Sequence[_Wanted], over: dict[_Wanted, Collection[RequestId]]
    ) -> Sequence[tuple[_Wanted, Order]]:
        """Notes what is `over` as of this reading."""
        tenants = {each.tenant for each in wanted}
        now, about_ns = self._now()
        found = await self._history.open(about_ns)
        doubted = [held for held in found if tenant_of(held.ask) in tenants]
        asks = [held.ask for held in (*doubted, *self._ours(tenants))]
        limits = [each.limit for each in wanted]
        async with self._history.past(limits, about_ns, asks) as past:
            gone = {*past.over, *(entry.request_id for entry in past.waiting)}
            calls = {held.ask.request_id: held for held in (*doubted, *self._ours(tenants))}
            under_way = [held for request_id, held in calls.items() if request_id not in gone]
            told = SeedOrders(past, under_way, now, about_ns)
            orders = [(each, order) for each in wanted for order in told.of(*each)]
            # Before any settlement that comes after this moment.
            for _, order in orders:
                self._line.post(order)
        over.update(dict.fromkeys(wanted, gone))
        return orders

    def _ours(self, tenants: Collection[UUID]) -> list[Reservation]:
        return [held for held in self._open_here() if tenant_of(held.ask) in tenants]
