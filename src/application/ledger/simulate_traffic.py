from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from ...domain.catalogue import Catalogue
from ...domain.errors import InvalidRequest
from ...domain.past_calls import PastCall
from ...domain.rate_window import NS_PER_S
from ...domain.simulation import Simulated, Simulation, counted_since
from ...domain.what_if import WhatIf
from ..ports.catalogues import Catalogues
from ..ports.clock import Clock
from ..ports.list_prices import ListPrices
from ..ports.organizations import Organizations
from ..ports.past_calls import PastCalls
from ..ports.virtual_keys import VirtualKeys
from .carriers import Carrier, carriers, supposed_limits
from .simulation_order import SimulationOrder
from .supposed_prices import SupposedPrices

# Between two pages, callers have their turn: so many take about ten milliseconds.
_AT_A_TIME = 100
_MOST_SCALED = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationReport:
    """`warmed_up_from_ns` is since when calls were told again to fill the limits; `names` are those
    of keys, teams and organizations, by their ids."""

    simulated: Simulated
    from_ns: int
    until_ns: int
    warmed_up_from_ns: int
    names: Mapping[UUID, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulateTraffic:
    """Open to administrators. Tells the calls of a time again, as they would have been decided on
    under other limits, and as they would have been paid for at other prices, or other targets.
    Nothing is written.

    The ledger knows no call that was refused when it was made. Raises InvalidRequest,
    StoreUnavailable.
    """

    calls: PastCalls
    keys: VirtualKeys
    organizations: Organizations
    catalogues: Catalogues
    list_prices: ListPrices
    clock: Clock
    longest_call_s: float

    async def __call__(
        self, order: SimulationOrder, *, most: int | None = None
    ) -> SimulationReport:
        """Of more than `most` calls, those that fill the limits included, nothing is told."""
        from_ns, until_ns = self._time(order)
        if not 1 <= order.scale <= _MOST_SCALED:
            raise InvalidRequest(f"'scale' must be from 1 to {_MOST_SCALED}.", param="scale")
        present = await carriers(self.keys, self.organizations)
        what_if = await self._what_if(order, present)
        since_ns = self._warm_up_from(what_if, from_ns)
        if most is not None:
            await self._check_size(since_ns, until_ns, most // order.scale)
        simulation = Simulation(what_if, from_ns)
        async for past in self._all(since_ns, until_ns, max(1, _AT_A_TIME // order.scale)):
            simulation.replay(past)
        return SimulationReport(
            simulated=simulation.result(),
            from_ns=from_ns,
            until_ns=until_ns,
            warmed_up_from_ns=since_ns,
            names={each.scope.id: each.path or each.name for each in present},
        )

    def _time(self, order: SimulationOrder) -> tuple[int, int]:
        """No farther than calls go: back to when time began, and up to now."""
        now_ns = self.clock.now_ns()
        until_ns = now_ns if order.until_ns is None else order.until_ns
        if order.from_ns >= now_ns:
            raise InvalidRequest("'from' must be in the past.", param="from")
        if order.from_ns >= until_ns:
            raise InvalidRequest("'until' must be later than 'from'.", param="until")
        return max(0, order.from_ns), min(until_ns, now_ns)

    async def _what_if(self, order: SimulationOrder, present: Sequence[Carrier]) -> WhatIf:
        return WhatIf(
            limits=await supposed_limits(present, order.limits, without=order.without_limits),
            present=await self.catalogues.load(),
            prices=SupposedPrices(order.prices, self.list_prices if order.list_prices else None),
            routed=Catalogue.of(routes=order.routes),
            scale=order.scale,
        )

    def _warm_up_from(self, what_if: WhatIf, from_ns: int) -> int:
        """Whatever limits count then has ended since, so it was not asked for long before."""
        limits = [limit for own in what_if.limits.values() for limit in own]
        if not limits:
            return from_ns
        longest_ns = int(self.longest_call_s * NS_PER_S)
        return max(0, counted_since(limits, from_ns) - longest_ns)

    async def _check_size(self, since_ns: int, until_ns: int, most: int) -> None:
        if await self.calls.count(since_ns, until_ns, most + 1) > most:
            raise InvalidRequest(
                f"More than {most} calls would have to be told again, of which some may only fill"
                " the limits: choose a shorter time, or ask on the command line.",
                param="from",
            )

    async def _all(self, since_ns: int, until_ns: int, size: int) -> AsyncIterator[PastCall]:
        last: PastCall | None = None
        while page := await self.calls.page(since_ns, until_ns, last, size):
            for past in page:
                yield past
            last = page[-1]
