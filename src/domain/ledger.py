from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from .ids import KeyId, RequestId
from .money import ZERO, Money
from .usage import NO_USAGE, TokenUsage


class Outcome(StrEnum):
    """How a call ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CLIENT_CANCELLED = "client_cancelled"
    BROKEN_OFF = "broken_off"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """What one call used and cost. Written once, never changed.

    `priced` is False where the model had no price: the cost is then unknown, not zero.
    `estimated` marks usage that the provider did not tell. Times are Unix nanoseconds.
    """

    request_id: RequestId
    key_id: KeyId
    at_ns: int
    duration_ns: int
    first_byte_ns: int | None = None
    model: str
    provider: str | None = None
    upstream_model: str | None = None
    outcome: Outcome
    error: str | None = None
    attempts: int
    streamed: bool
    usage: TokenUsage = NO_USAGE
    cost: Money = ZERO
    priced: bool = True
    estimated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Money set aside for a call that is under way."""

    bound: Money
    lease_until_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLedger:
    """One key's account: what it has spent, and what calls under way hold.

    A call settles exactly once: it must hold something, and settling lets go of it, so settling
    again changes nothing.
    """

    spent: Money = ZERO
    usage: TokenUsage = NO_USAGE
    settled: int = 0
    held: Mapping[RequestId, Hold] = field(default_factory=dict)

    @property
    def reserved(self) -> Money:
        return Money(sum(hold.bound.pico for hold in self.held.values()))

    def reserve(self, request_id: RequestId, hold: Hold) -> "CostLedger":
        """Raises ValueError where the call holds a reservation already."""
        if request_id in self.held:
            raise ValueError(f"the call {request_id} holds a reservation already")
        return CostLedger(
            spent=self.spent,
            usage=self.usage,
            settled=self.settled,
            held={**self.held, request_id: hold},
        )

    def settle(
        self, request_id: RequestId, cost: Money, usage: TokenUsage
    ) -> tuple[bool, "CostLedger"]:
        """Whether this settled the call: False where it was settled before, or never reserved."""
        if request_id not in self.held:
            return False, self
        held = dict(self.held)
        del held[request_id]
        return True, CostLedger(
            spent=self.spent + cost,
            usage=self.usage + usage,
            settled=self.settled + 1,
            held=held,
        )

    def expired(self, now_ns: int) -> tuple[RequestId, ...]:
        """The calls whose lease has run out."""
        return tuple(call for call, hold in self.held.items() if hold.lease_until_ns <= now_ns)
