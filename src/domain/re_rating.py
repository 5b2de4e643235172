from dataclasses import dataclass

from .corrections import BookedCall
from .money import Money
from .pricing import PriceBook


@dataclass(frozen=True, slots=True, kw_only=True)
class ReRated:
    """A call whose cost is not what the prices say that were in force when it began."""

    call: BookedCall
    cost: Money

    @property
    def difference(self) -> Money:
        return self.cost - self.call.cost


def re_rated(call: BookedCall, prices: PriceBook) -> ReRated | None:
    """None where nothing is to be changed: the cost is right, or there was no price."""
    entry = call.entry
    if entry.provider is None or entry.upstream_model is None:
        return None
    price = prices.at(entry.provider, entry.upstream_model, entry.at_ns)
    if price is None:
        return None
    cost = price.cost_of(call.usage)
    if cost == call.cost and call.priced:
        return None
    return ReRated(call=call, cost=cost)
