from dataclasses import dataclass
from enum import StrEnum

from .pricing import DatedPrice, Rates


class Step(StrEnum):
    """What bringing the stored prices up to the list does with one of them."""

    ADD = "add"
    REPLACE = "replace"
    KEEP = "keep"  # it is the operator's own
    NOTHING = "nothing"  # nobody lists it


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceDifference:
    """A model whose price in force is not what its provider lists: `stored` is None where it has no
    price, `listed` where the list has none either."""

    provider: str
    model: str
    stored: DatedPrice | None
    listed: DatedPrice | None

    @property
    def classes(self) -> tuple[str, ...]:
        """Which rates are others; `tiers`, where those for long prompts are, `units` and
        `services`."""
        if self.stored is None or self.listed is None:
            return ()
        stored, listed = self.stored.price, self.listed.price
        pairs: list[tuple[str, object, object]] = [
            (each, stored.rates, listed.rates) for each in Rates.__slots__
        ]
        pairs += [(each, stored, listed) for each in ("tiers", "units", "services")]
        return tuple(each for each, old, new in pairs if getattr(old, each) != getattr(new, each))

    @property
    def is_operators(self) -> bool:
        """Whether what is stored comes from elsewhere than the list, in whatever edition."""
        if self.stored is None or self.listed is None:
            return False
        return _origin(self.stored) != _origin(self.listed)

    def step(self, *, force: bool) -> Step:
        if self.listed is None:
            return Step.NOTHING
        if self.stored is None:
            return Step.ADD
        return Step.KEEP if self.is_operators and not force else Step.REPLACE


def difference(
    provider: str, model: str, stored: DatedPrice | None, listed: DatedPrice | None
) -> PriceDifference | None:
    """None where both are the same."""
    if stored is not None and (listed is None or stored.price == listed.price):
        return None
    return PriceDifference(provider=provider, model=model, stored=stored, listed=listed)


def _origin(price: DatedPrice) -> str:
    """The first word of its source; an edition of the list may stand behind it."""
    return price.source.partition(" ")[0]
