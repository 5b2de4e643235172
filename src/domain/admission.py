from dataclasses import dataclass, field

from .ids import KeyId, RequestId
from .ledger import CostLedger, Hold
from .limits import Limits, RateWindow, Refusal
from .money import ZERO, Money
from .usage import TokenUsage


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A call that wants to be admitted, with the most that it can use and cost."""

    request_id: RequestId
    key_id: KeyId
    model: str
    streamed: bool
    at_ns: int
    lease_until_ns: int
    input_bound: int
    output_bound: int
    cost_bound: Money = ZERO
    priced: bool = True

    @property
    def tokens(self) -> int:
        return self.input_bound + self.output_bound

    @property
    def usage_bound(self) -> TokenUsage:
        return TokenUsage(input=self.input_bound, output=self.output_bound)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """An admitted call's claim, to be settled exactly once."""

    ask: Ask
    slot: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One key's window and ledger: the state that one admission decision reads and changes."""

    window: RateWindow = field(default_factory=RateWindow)
    ledger: CostLedger = field(default_factory=CostLedger)

    def admit(
        self, ask: Ask, limits: Limits, now_ns: int
    ) -> tuple[Reservation | Refusal, "Account"]:
        """All or nothing: a refusal takes nothing from any limit."""
        decision, window = self.window.admit(limits, ask.tokens, now_ns)
        if isinstance(decision, Refusal):
            return decision, Account(window=window, ledger=self.ledger)
        hold = Hold(bound=ask.cost_bound, lease_until_ns=ask.lease_until_ns)
        ledger = self.ledger.reserve(ask.request_id, hold)
        return Reservation(ask=ask, slot=decision), Account(window=window, ledger=ledger)

    def settle(
        self, reservation: Reservation, usage: TokenUsage, cost: Money, now_ns: int
    ) -> tuple[bool, "Account"]:
        """Exactly once. False, and no change, where the call was settled before."""
        ask = reservation.ask
        settled, ledger = self.ledger.settle(ask.request_id, cost, usage)
        if not settled:
            return False, self
        window = self.window.settle(reservation.slot, ask.tokens, usage.total, now_ns)
        return True, Account(window=window, ledger=ledger)
