from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.admission import Reservation, used_amounts
from ...domain.limits import Limit, Standing
from ...domain.money import Money
from ...domain.usage import TokenUsage


@dataclass(frozen=True, slots=True)
class Held:
    """A call that this process has admitted, or has found and is going to settle; what was left of
    its limits when it was admitted."""

    reservation: Reservation
    limits: Sequence[Limit] = ()
    standings: Sequence[Standing] = ()
    at_ns: int = 0
    """On the monotonic clock; 0 for one that was found."""

    def left(self, usage: TokenUsage, cost: Money, now_ns: int) -> list[Standing]:
        """As it was at the call's admission, but for what the call itself has given back since."""
        used, passed_ns = used_amounts(usage, cost), now_ns - self.at_ns
        return [
            _given_back(each, claim.amount - used[claim.measure], passed_ns)
            for claim, each in zip(self.reservation.claims, self.standings, strict=False)
        ]


def _given_back(standing: Standing, amount: int, passed_ns: int) -> Standing:
    reset_ns = standing.reset_ns
    return standing._replace(
        used=standing.used - amount,
        reset_ns=None if reset_ns is None else max(0, reset_ns - passed_ns),
    )
