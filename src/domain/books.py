from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .admission import Ask, CounterId, Reservation, counted, decide
from .ids import RequestId
from .limits import Counter, Limit, Refusal
from .money import Money
from .usage import TokenUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Every counter, and every call under way: what admission is, without a store.

    Every store does what this does, whatever the order of calls; they are tested against it.
    """

    counters: Mapping[CounterId, Counter] = field(default_factory=dict)
    open: Mapping[RequestId, Reservation] = field(default_factory=dict)

    def admit(
        self, ask: Ask, limits: Sequence[Limit], now_ns: int
    ) -> tuple[Reservation | Refusal, "Books"]:
        counting = counted(ask, limits)
        before = [self.counters.get(c.counter_id) or c.limit.fresh() for c in counting]
        decision, after = decide(ask, counting, before, now_ns)
        if isinstance(decision, Refusal):
            return decision, self
        filled = {c.counter_id: counter for c, counter in zip(counting, after, strict=True)}
        return decision, Books(
            counters={**self.counters, **filled},
            open={**self.open, ask.request_id: decision},
        )

    def settle(
        self, request_id: RequestId, usage: TokenUsage, cost: Money, now_ns: int
    ) -> tuple[bool, "Books"]:
        """Exactly once. False, and no change, where the call was settled before."""
        reservation = self.open.get(request_id)
        if reservation is None:
            return False, self
        settled = {
            claim.counter: claim.settle(self.counters[claim.counter], usage, cost, now_ns)
            for claim in reservation.claims
        }
        left = {call: held for call, held in self.open.items() if call != request_id}
        return True, Books(counters={**self.counters, **settled}, open=left)

    def expired(self, now_ns: int) -> tuple[Reservation, ...]:
        """The calls whose lease has run out."""
        return tuple(r for r in self.open.values() if r.ask.lease_until_ns <= now_ns)
