from collections.abc import Iterable

from ...application.ports.list_prices import ListPrices
from ...domain.pricing import DatedPrice


class GenaiListPrices:
    """List prices from the pinned `genai-prices` package: in memory, no network.

    https://github.com/pydantic/genai-prices
    """

    def of(self, provider: str, models: Iterable[str]) -> tuple[DatedPrice, ...]:
        # Only seeding asks; every other start would pay a tenth of a second for it.
        from .genai_catalogue import dated_prices  # noqa: PLC0415

        return dated_prices(provider, models)


_: type[ListPrices] = GenaiListPrices
