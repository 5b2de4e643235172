from dataclasses import dataclass

from .corrections import Correction, Posting
from .money import ZERO, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What calls add to a sum that reports are made of. A correction counts as no further call."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: Money = ZERO
    unpriced_calls: int = 0
    estimated_calls: int = 0

    def __add__(self, other: "Charge") -> "Charge":
        return Charge(
            calls=self.calls + other.calls,
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost=self.cost + other.cost,
            unpriced_calls=self.unpriced_calls + other.unpriced_calls,
            estimated_calls=self.estimated_calls + other.estimated_calls,
        )


NO_CHARGE = Charge()


def charge_of(posting: Posting) -> Charge:
    unpriced, estimated = int(not posting.priced), int(posting.estimated)
    if isinstance(posting, Correction):
        calls = 0
        unpriced -= not posting.was_priced
        estimated -= posting.was_estimated
    else:
        calls = 1
    return Charge(
        calls=calls,
        prompt_tokens=posting.usage.prompt_tokens,
        completion_tokens=posting.usage.completion_tokens,
        cost=posting.cost,
        unpriced_calls=unpriced,
        estimated_calls=estimated,
    )
