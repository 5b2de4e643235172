"""What a call can cost at the most, whichever of its targets answers."""

from collections.abc import Sequence

from .money import ZERO, Money
from .pricing import ModelPrice
from .services import ANY
from .units import NO_UNITS, Units

# Whatever has a price, where nothing certain is asked for; and one that answers when there is
# nothing else to do, and costs less than the ordinary service.
_KNOWN = (None, ANY, "flex")


def cost_bound(
    prices: Sequence[ModelPrice | None],
    input_tokens: int,
    output_tokens: int,
    units: Units = NO_UNITS,
) -> Money:
    """At the dearest of those that have a price."""
    bounds = (price.bound(input_tokens, output_tokens, units) for price in prices if price)
    return max(bounds, default=ZERO)


def is_priced(prices: Sequence[ModelPrice | None], service: str | None) -> bool:
    """Whether each target has a price; and a service that may be dearer has one, too: others of the
    targets may not take it."""
    if any(price is None for price in prices):
        return False
    if service in _KNOWN:
        return True
    return any(each.name == service for price in prices if price for each in price.services)
