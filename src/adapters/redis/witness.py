import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence

from ...application.ports.clock import Clock
from ...application.ports.evidence import Evidence, Witness
from ...application.ports.history import History
from ...application.ports.virtual_keys import VirtualKeys
from ...domain.admission import Claim, CounterId, Reservation
from ...domain.keys import VirtualKey
from ...domain.limits import Limit
from ...domain.rebuild import Tally, claim_on
from ...domain.verification import KeptCounter
from .line import Line
from .names import counter_key, counter_name, known_key, tenant_of_key
from .orders import Order
from .words import counter_of

_KEYS_AT_ONCE = 500
_MORE_LOOKS = 2
_BETWEEN_S = 0.5

Kept = Mapping[CounterId, KeptCounter]


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
        kept, now_ns = await self._look()
        looked_at = {"counters in Redis": len(kept)}
        for _ in range(_MORE_LOOKS):
            wrong = [which for which, each in kept.items() if any(each.differences(now_ns))]
            if not wrong:
                break
            await asyncio.sleep(_BETWEEN_S)
            again, now_ns = await self._look()
            kept = {which: again[which] for which in wrong if which in again}
        return Evidence(now_ns=now_ns, counters=list(kept.values()), looked_at=looked_at)

    async def _look(self) -> tuple[Kept, int]:
        now_ns = self._clock.now_ns()
        open_calls = await self._history.open(now_ns)
        kept: dict[CounterId, KeptCounter] = {}
        async for page in self._pages():
            kept.update(await self._of_page(page, open_calls, now_ns))
        return kept, now_ns

    async def _pages(self) -> AsyncIterator[Sequence[VirtualKey]]:
        after = None
        while page := await self._keys.page(after, _KEYS_AT_ONCE):
            yield page
            after = page[-1].id

    async def _of_page(
        self, page: Sequence[VirtualKey], open_calls: Sequence[Reservation], now_ns: int
    ) -> Kept:
        tenants = {limit: tenant_of_key(key).hex for key in page for limit in key.all_limits}
        limits = {limit.id: limit for limit in tenants}
        over: dict[CounterId, list[Tally]] = defaultdict(list)
        async with self._history.past(list(tenants), now_ns) as past:
            for limit_id, tallies in past.settled.items():
                for tally in tallies:
                    over[CounterId(limit_id, tally.name)].append(tally)
        under_way: dict[CounterId, list[Claim]] = defaultdict(list)
        for limit in tenants:
            for held in open_calls:
                if claim := claim_on(limit, held):
                    under_way[claim.counter].append(claim)
        kept: dict[CounterId, KeptCounter] = {}
        for which in {*over, *under_way, *(CounterId(limit_id) for limit_id in limits)}:
            limit = limits[which.limit_id]
            words = await self._words(tenants[limit], limit, which)
            if words is not None:
                kept[which] = KeptCounter(
                    limit=limit,
                    name=which.name,
                    found=counter_of(limit, words),
                    over=over[which],
                    under_way=under_way[which],
                )
        return kept

    async def _words(self, tenant: str, limit: Limit, which: CounterId) -> Mapping[str, str] | None:
        key = counter_key(tenant, counter_name(limit, which.name))
        raw = await self._line.ask(Order(args=["HGETALL", key]))
        if not raw:
            is_known = Order(args=["EXISTS", known_key(tenant, limit)])
            return {} if await self._line.ask(is_known) else None
        pairs = raw.items() if isinstance(raw, dict) else zip(raw[::2], raw[1::2], strict=True)
        return {name.decode(): value.decode() for name, value in pairs}


_: type[Witness] = RedisWitness
