import asyncio
from collections.abc import Sequence
from uuid import UUID

from ...domain.admission import Ask, Reservation
from .line import Line
from .names import TENANTS, leases_key, tenant_of
from .orders import Order
from .reservations import read_reservation
from .scripts import LOOK_LATER, LOST

_NS_PER_MS = 10**6
# Whoever admits a call of the tenant finds them sooner.
_LOOK_AFTER_LEASE_MS = 60_000
_LOOK_AGAIN_MS = 5_000
_TENANTS_AT_ONCE = 100
_CALLS_AT_ONCE = 100
_MOST_KNOWN = 100_000


class LostCalls:
    """Calls of processes that are gone, and of tenants that have gone quiet since. A tenant is
    looked at a minute after the last lease that anybody has told of."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._told_ms: dict[UUID, int] = {}

    def tell(self, ask: Ask) -> None:
        """Before the call is asked for, so that none is ever unheard of. Raises StoreUnavailable
        where it is vain to ask: then nothing is kept of it, to be told."""
        self._line.check()
        tenant, lease_ms = tenant_of(ask), ask.lease_until_ns // _NS_PER_MS
        if self._told_ms.get(tenant, 0) >= lease_ms:
            return
        if len(self._told_ms) >= _MOST_KNOWN:
            self._told_ms.clear()
        look_ms = lease_ms + _LOOK_AFTER_LEASE_MS
        self._told_ms[tenant] = look_ms
        self._line.tell(Order(args=["ZADD", TENANTS, "GT", str(look_ms), tenant.hex]))

    async def found(self, now_ms: int) -> list[Reservation]:
        """Raises StoreUnavailable."""
        due = await self._line.ask(
            Order(
                args=[
                    *("ZRANGEBYSCORE", TENANTS, "-inf", str(now_ms)),
                    *("LIMIT", "0", str(_TENANTS_AT_ONCE)),
                ]
            )
        )
        looks = (self._look(tenant.decode(), now_ms) for tenant in due)
        return [each for found in await asyncio.gather(*looks) for each in found]

    async def _look(self, tenant: str, now_ms: int) -> Sequence[Reservation]:
        order = Order(
            script=LOST, keys=[leases_key(tenant)], args=[str(now_ms), str(_CALLS_AT_ONCE)]
        )
        first, found = await self._line.ask(order)
        look_ms = str(max(int(float(first)), now_ms + _LOOK_AGAIN_MS)) if first else ""
        self._line.tell(
            Order(script=LOOK_LATER, keys=[TENANTS], args=[tenant, str(now_ms), look_ms])
        )
        return [read_reservation(each.decode()) for each in found]
