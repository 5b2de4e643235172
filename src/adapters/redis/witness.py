import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from ...application.ports.clock import Clock
from ...application.ports.evidence import Evidence, Witness
from ...application.ports.history import History
from ...application.ports.virtual_keys import VirtualKeys
from ...domain.admission import CounterId, Reservation
from ...domain.keys import VirtualKey
from ...domain.limits import Limit
from ...domain.rebuild import Tally, by_scope, claims_on
from ...domain.scopes import ScopeKind
from ...domain.verification import KeptCounter
from .line import Line
from .names import counter_key, counter_name, known_key, tenant_of_key
from .orders import Order
from .words import counter_of

_KEYS_AT_ONCE = 500
# In one round trip: of a window that slides, each has up to some hundred slots.
_COUNTERS_AT_ONCE = 100
_MORE_LOOKS = 2
_BETWEEN_S = 0.5

Calls = Mapping[UUID, Sequence[Reservation]]


@dataclass(slots=True)
class _Look:
    """How many counters there are, and those that are not as they should be."""

    now_ns: int
    count: int = 0
    wrong: dict[CounterId, KeptCounter] = field(default_factory=dict)

    def at(self, counter: KeptCounter) -> None:
        self.count += 1
        if any(counter.differences(self.now_ns)):
            self.wrong[CounterId(counter.limit.id, counter.name)] = counter


class RedisWitness:
    """The counters that the server has, of whichever keys there are, beside the ledger.

    The two are not read in one moment: what is settled on the server may not be written yet. So it
    looks three times, and a counter that was as it should be in one of them is so. One whose limit
    the server does not know has not counted anything, and will be told before it does.
    """

    def __init__(self, line: Line, keys: VirtualKeys, history: History, clock: Clock) -> None:
        self._line = line
        self._keys = keys
        self._history = history
        self._clock = clock

    async def evidence(self) -> Evidence:
        look = await self._look()
        wrong, count = look.wrong, look.count
        for _ in range(_MORE_LOOKS):
            if not wrong:
                break
            await asyncio.sleep(_BETWEEN_S)
            look = await self._look()
            wrong = {which: look.wrong[which] for which in wrong if which in look.wrong}
        looked_at = {"counters in Redis": count}
        return Evidence(now_ns=look.now_ns, counters=list(wrong.values()), looked_at=looked_at)

    async def _look(self) -> _Look:
        look = _Look(self._clock.now_ns())
        calls = by_scope(await self._history.open(look.now_ns))
        shared: set[UUID] = set()
        async for page in self._pages():
            tenants = {
                limit: tenant_of_key(key).hex
                for key in page
                for limit in key.all_limits
                if limit.id not in shared
            }
            # Other keys have them, too; a key's own do not come again.
            shared |= {limit.id for limit in tenants if limit.scope.kind is not ScopeKind.KEY}
            async for counter in self._counters(tenants, calls, look.now_ns):
                look.at(counter)
        return look

    async def _pages(self) -> AsyncIterator[Sequence[VirtualKey]]:
        after = None
        while page := await self._keys.page(after, _KEYS_AT_ONCE):
            yield page
            after = page[-1].id

    async def _counters(
        self, tenants: Mapping[Limit, str], calls: Calls, now_ns: int
    ) -> AsyncIterator[KeptCounter]:
        limits = {limit.id: limit for limit in tenants}
        over: dict[CounterId, list[Tally]] = defaultdict(list)
        async with self._history.past(list(tenants), now_ns) as past:
            for limit_id, tallies in past.settled.items():
                for tally in tallies:
                    over[CounterId(limit_id, tally.name)].append(tally)
        under_way = claims_on(tenants, calls)
        names = [*{*over, *under_way, *(CounterId(limit_id) for limit_id in limits)}]
        for first in range(0, len(names), _COUNTERS_AT_ONCE):
            some = names[first : first + _COUNTERS_AT_ONCE]
            read = (self._words(tenants[limits[each.limit_id]], limits, each) for each in some)
            for which, words in zip(some, await asyncio.gather(*read), strict=True):
                if words is not None:
                    limit = limits[which.limit_id]
                    yield KeptCounter(
                        limit=limit,
                        name=which.name,
                        found=counter_of(limit, words),
                        over=over[which],
                        under_way=under_way.get(which, ()),
                    )

    async def _words(
        self, tenant: str, limits: Mapping[UUID, Limit], which: CounterId
    ) -> Mapping[str, str] | None:
        limit = limits[which.limit_id]
        key = counter_key(tenant, counter_name(limit, which.name))
        raw = await self._line.ask(Order(args=["HGETALL", key]))
        if not raw:
            is_known = Order(args=["EXISTS", known_key(tenant, limit)])
            return {} if await self._line.ask(is_known) else None
        pairs = raw.items() if isinstance(raw, dict) else zip(raw[::2], raw[1::2], strict=True)
        return {name.decode(): value.decode() for name, value in pairs}


_: type[Witness] = RedisWitness
