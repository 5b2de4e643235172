from collections import OrderedDict
from collections.abc import Sequence

from ...application.ports.admission import Admission
from ...application.ports.clock import Clock
from ...domain.admission import Ask, CounterId, Reservation, counted, decide, standing
from ...domain.limits import Counter, Limit, Refusal, Standing
from ...domain.money import Money
from ...domain.usage import TokenUsage


class MemoryAdmission:
    """Limits for one process. Each decision is one step of the event loop, so it is atomic.

    Forgets a counter once nothing is left in it that a decision needs.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._counters: OrderedDict[CounterId, Counter] = OrderedDict()
        # By the ids' numbers: Python hashes those ten times faster than UUIDs.
        self._open: dict[int, tuple[Reservation, Sequence[Limit]]] = {}

    async def admit(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Reservation | Refusal, Sequence[Standing]]:
        now_ns = self._clock.now_ns()
        self._forget_idle(now_ns)
        counting = counted(ask, limits)
        before = [self._counters.get(c.counter_id) or c.limit.fresh() for c in counting]
        decision, after = decide(ask, counting, before, now_ns)
        counting_limits = [c.limit for c in counting]
        if isinstance(decision, Reservation):
            for c, counter in zip(counting, after, strict=True):
                self._keep(c.counter_id, counter)
            self._open[ask.request_id.int] = decision, counting_limits
        return decision, [
            standing(limit, counter, now_ns)
            for limit, counter in zip(counting_limits, after, strict=True)
        ]

    async def foresee(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Refusal | None, Sequence[Standing]]:
        now_ns = self._clock.now_ns()
        counting = counted(ask, limits)
        counters = [self._counters.get(c.counter_id) or c.limit.fresh() for c in counting]
        decision, _ = decide(ask, counting, counters, now_ns)
        return decision if isinstance(decision, Refusal) else None, [
            standing(c.limit, counter, now_ns)
            for c, counter in zip(counting, counters, strict=True)
        ]

    def settle(
        self, reservation: Reservation, usage: TokenUsage, cost: Money
    ) -> Sequence[Standing] | None:
        held = self._open.pop(reservation.ask.request_id.int, None)
        if held is None:
            return None
        now_ns = self._clock.now_ns()
        left = []
        for claim, limit in zip(held[0].claims, held[1], strict=True):
            counter = self._counters.get(claim.counter) or limit.fresh()
            counter = claim.settle(counter, usage, cost, now_ns)
            self._keep(claim.counter, counter)
            left.append(standing(limit, counter, now_ns))
        return left

    async def expired(self) -> Sequence[Reservation]:
        now_ns = self._clock.now_ns()
        return [held for held, _ in self._open.values() if held.ask.lease_until_ns <= now_ns]

    def __len__(self) -> int:
        return len(self._counters)

    def _keep(self, counter_id: CounterId, counter: Counter) -> None:
        self._counters[counter_id] = counter
        self._counters.move_to_end(counter_id)

    def _forget_idle(self, now_ns: int) -> None:
        # The one that was used longest ago stands first. A few a call: more leave than can come.
        for _ in range(8):
            oldest = next(iter(self._counters), None)
            if oldest is None:
                return
            if self._counters[oldest].is_idle(now_ns):
                del self._counters[oldest]
            else:
                self._counters.move_to_end(oldest)
                return


_: type[Admission] = MemoryAdmission
