import asyncio
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from uuid import UUID

from ...application.ports.history import History, Past
from ...domain.admission import Claim, CounterId, Reservation
from ...domain.errors import StoreUnavailable
from ...domain.ids import RequestId
from ...domain.limits import Counter, Limit
from ...domain.rebuild import claim_on, rebuilt, tallies
from ...domain.stores import Store
from .line import Line
from .names import (
    corrected_key,
    counter_key,
    counter_name,
    known_key,
    leases_key,
    tenant_of,
)
from .orders import Order
from .reservations import claim_line, told_ask
from .scripts import SEED
from .words import words_of

_NS_PER_MS = 10**6
_WITHIN_S = 3.0
_TRIES = 3
_OUTDATED = -1
# Counters in one step of the server.
_PART = 50


class Seeds:
    """Tells the server what limits have counted that it does not know of: since they are new, or it
    is. What it is told of a limit a second time changes nothing."""

    def __init__(
        self, history: History, line: Line, open_here: Callable[[], Iterable[Reservation]]
    ) -> None:
        self._history = history
        self._line = line
        self._open_here = open_here
        self._sowing: dict[UUID, asyncio.Task[Collection[RequestId]]] = {}

    async def sow(
        self, tenant: UUID, limits: Sequence[Limit], now: str, about_ns: int
    ) -> Collection[RequestId]:
        """Calls that need the same limit wait together. Returns those of the tenant's calls that
        were counted as being over. Raises StoreUnavailable."""
        new = [limit for limit in limits if limit.id not in self._sowing]
        if new:
            task = asyncio.create_task(self._sow(tenant, new, now, about_ns))
            for limit in new:
                self._sowing[limit.id] = task
            task.add_done_callback(lambda _: self._done(new))
        wanted = {self._sowing[limit.id] for limit in limits}
        try:
            async with asyncio.timeout(_WITHIN_S):
                over = await asyncio.gather(*(asyncio.shield(task) for task in wanted))
        except TimeoutError as error:
            raise StoreUnavailable(Store.COUNTERS) from error
        # In all of them: a call may have ended in between.
        return set(over[0]).intersection(*over[1:])

    def _done(self, limits: Iterable[Limit]) -> None:
        for limit in limits:
            task = self._sowing.pop(limit.id)
            if not task.cancelled():
                task.exception()  # told to whoever waited; nobody may have

    async def _sow(
        self,
        tenant: UUID,
        limits: Sequence[Limit],
        now: str,
        about_ns: int,
        tries: int = _TRIES,
    ) -> Collection[RequestId]:
        under_way = await self._history.open(about_ns)
        doubted = [held for held in under_way if tenant_of(held.ask) == tenant]
        asks = [held.ask for held in (*doubted, *self._ours(tenant))]
        async with self._history.past(limits, about_ns, asks) as past:
            over = {*past.over, *(entry.request_id for entry in past.waiting)}
            calls = {held.ask.request_id: held for held in (*doubted, *self._ours(tenant))}
            for request_id in over:
                calls.pop(request_id, None)
            orders = [
                order
                for limit in limits
                for order in _orders(tenant, limit, past, calls.values(), now, about_ns)
            ]
            # Before any settlement that comes after this moment.
            for order in orders:
                self._line.post(order)
        answers = await asyncio.gather(*(self._line.answer_to(order) for order in orders))
        if _OUTDATED in answers and tries:
            return await self._sow(tenant, limits, now, about_ns, tries - 1)
        return over

    def _ours(self, tenant: UUID) -> Iterator[Reservation]:
        return (held for held in self._open_here() if tenant_of(held.ask) == tenant)


def _orders(
    tenant: UUID,
    limit: Limit,
    past: Past,
    under_way: Iterable[Reservation],
    now: str,
    about_ns: int,
) -> list[Order]:
    over = [*past.settled.get(limit.id, ())]
    for entry in past.waiting:
        over += tallies(limit, entry)
    claims = [(held, claim) for held in under_way if (claim := claim_on(limit, held))]
    counters = rebuilt(limit, over, (claim for _, claim in claims), about_ns)
    named = list(counters.items())
    parts = [named[at : at + _PART] for at in range(0, len(named), _PART)] or [[]]
    return [
        _order(tenant, limit, part, claims, past, now, about_ns, is_last=part is parts[-1])
        for part in parts
    ]


def _order(
    tenant: UUID,
    limit: Limit,
    part: Sequence[tuple[CounterId, Counter]],
    claims: Iterable[tuple[Reservation, Claim]],
    past: Past,
    now: str,
    about_ns: int,
    *,
    is_last: bool,
) -> Order:
    numbers = {counter_id: str(index) for index, (counter_id, _) in enumerate(part, 1)}
    told = [now, str(past.position), "1" if is_last else "", str(len(part))]
    for _, counter in part:
        to_live, words = words_of(counter, about_ns)
        told += (to_live, str(len(words)), *words)
    for held, claim in claims:
        number = numbers.get(claim.counter)
        if number is not None:
            ask = held.ask
            lease_ms = str(ask.lease_until_ns // _NS_PER_MS)
            told += (number, ask.request_id.hex, lease_ms, told_ask(ask), claim_line(limit, claim))
    its = tenant.hex
    counters = [counter_key(its, counter_name(limit, id_.name)) for id_, _ in part]
    keys = [known_key(its, limit), leases_key(its), corrected_key(its), *counters]
    return Order(script=SEED, keys=keys, args=told)
