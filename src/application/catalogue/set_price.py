from dataclasses import dataclass

from ...domain.errors import InvalidRequest
from ...domain.pricing import DatedPrice
from ..ports.catalogues import CatalogueLookup, Catalogues


@dataclass(frozen=True, slots=True)
class SetPrice:
    """Open to administrators. Adds a dated price: what was in force before it stays on record, and
    past entries keep what they cost. Raises InvalidRequest."""

    catalogues: Catalogues
    catalogue: CatalogueLookup

    async def __call__(self, price: DatedPrice) -> DatedPrice:
        if price.provider not in (await self.catalogues.load()).providers:
            raise InvalidRequest(f"There is no provider {price.provider!r}.", param="provider")
        await self.catalogues.put(prices=[price])
        await self.catalogue.refresh()
        return price
