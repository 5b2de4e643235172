from collections.abc import Sequence
from dataclasses import dataclass

from .attempts import Attempt
from .ids import RequestId
from .limits import Limits, Remaining
from .money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What a caller may know of how its call was handled. `cost` is None while a stream is still
    running, and where the model has no price."""

    request_id: RequestId
    limits: Limits
    remaining: Remaining
    attempts: Sequence[Attempt] = ()
    dropped: Sequence[str] = ()
    output_cap: int | None = None
    cost: Money | None = None

    def after(self, attempts: Sequence[Attempt]) -> "Receipt":
        return Receipt(
            request_id=self.request_id,
            limits=self.limits,
            remaining=self.remaining,
            attempts=attempts,
            output_cap=self.output_cap,
        )

    def settled(
        self, remaining: Remaining, dropped: Sequence[str], cost: Money | None
    ) -> "Receipt":
        return Receipt(
            request_id=self.request_id,
            limits=self.limits,
            remaining=remaining,
            attempts=self.attempts,
            dropped=dropped,
            output_cap=self.output_cap,
            cost=cost,
        )
