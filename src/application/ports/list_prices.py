from collections.abc import Iterable
from typing import Protocol

from ...domain.pricing import DatedPrice


class ListPrices(Protocol):
    """What providers publish. Read when seeding, never during a request."""

    def of(self, provider: str, models: Iterable[str]) -> tuple[DatedPrice, ...]:
        """Every dated price of these models at one provider; models without one are left out."""
        ...
