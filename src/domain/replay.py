from collections.abc import Sequence
from heapq import heappop, heappush
from typing import NamedTuple

from .admission import CounterId, Reservation, budget_in_doubt, counted, decide
from .limits import Counter, Limit, Refusal
from .money import Money
from .supposed_calls import SupposedCall
from .usage import TokenUsage

_SWEPT_FIRST_AT = 1_000


class _UnderWay(NamedTuple):
    ends_ns: int
    number: int
    reservation: Reservation
    usage: TokenUsage
    cost: Money


class Replay:
    """Calls that are admitted and settled once more, in the order of their time, each when it was.

    It does what `Books` does, in place: those are made anew twice a call, and this tells millions
    of calls. Counters of which nothing is left are let go. A call that ends in the moment in which
    another begins has ended before.
    """

    def __init__(self) -> None:
        self._counters: dict[CounterId, Counter] = {}
        self._under_way: list[_UnderWay] = []
        self._admitted = 0
        self._sweep_at = _SWEPT_FIRST_AT

    def admit(self, call: SupposedCall, limits: Sequence[Limit]) -> Reservation | Refusal | Limit:
        """A limit for a call of which nobody knows what it costs, and that the limit counts."""
        ask = call.ask
        now_ns = ask.at_ns
        self._settle_until(now_ns)
        if not ask.priced and (budget := budget_in_doubt(ask, limits)) is not None:
            return budget
        counting = counted(ask, limits)
        before = [self._counters.get(c.counter_id) or c.limit.fresh() for c in counting]
        decision, after = decide(ask, counting, before, now_ns)
        if isinstance(decision, Refusal):
            return decision
        for each, counter in zip(counting, after, strict=True):
            self._counters[each.counter_id] = counter
        self._admitted += 1
        heappush(
            self._under_way,
            _UnderWay(call.ends_ns, self._admitted, decision, call.usage, call.cost),
        )
        if len(self._counters) > self._sweep_at:
            self._let_go(now_ns)
        return decision

    def _settle_until(self, now_ns: int) -> None:
        while self._under_way and self._under_way[0].ends_ns <= now_ns:
            over = heappop(self._under_way)
            for claim in over.reservation.claims:
                counter = self._counters[claim.counter]
                self._counters[claim.counter] = claim.settle(
                    counter, over.usage, over.cost, over.ends_ns
                )

    def _let_go(self, now_ns: int) -> None:
        held = {claim.counter for call in self._under_way for claim in call.reservation.claims}
        self._counters = {
            counter_id: counter
            for counter_id, counter in self._counters.items()
            if counter_id in held or not counter.is_idle(now_ns)
        }
        self._sweep_at = max(_SWEPT_FIRST_AT, 2 * len(self._counters))
