from dataclasses import dataclass, replace

from ...domain.errors import InvalidRequest, NotFound
from ...domain.pricing import DatedPrice, ModelPrice, Service
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

    async def ordinary(self, price: DatedPrice) -> DatedPrice:
        """Services of the price in force by then keep theirs."""
        before = await self._in_force(price.provider, price.model, price.effective_from_ns)
        services = before.services if before else ()
        return await self(replace(price, price=replace(price.price, services=services)))

    async def of_service(self, name: str, price: DatedPrice) -> DatedPrice:
        """What a model costs at that service alone; all else stays as it is in force by then."""
        before = await self._in_force(price.provider, price.model, price.effective_from_ns)
        if before is None:
            raise InvalidRequest(
                f"{price.model!r} has no price yet that one of a service could stand beside.",
                param="service",
            )
        own = Service(name, replace(price.price, services=()))
        others = [each for each in before.services if each.name != name]
        return await self(replace(price, price=_with(before, [*others, own])))

    async def without_service(
        self, provider: str, model: str, name: str, from_ns: int
    ) -> DatedPrice:
        """From then on, the service costs what the ordinary one costs. Raises NotFound."""
        before = await self._in_force(provider, model, from_ns)
        others = [each for each in before.services if each.name != name] if before else []
        if before is None or len(others) == len(before.services):
            raise NotFound("price of a service", name)
        return await self(
            DatedPrice(
                provider=provider,
                model=model,
                effective_from_ns=from_ns,
                price=_with(before, others),
            )
        )

    async def _in_force(self, provider: str, model: str, at_ns: int) -> ModelPrice | None:
        return (await self.catalogues.load()).prices.at(provider, model, at_ns)


def _with(price: ModelPrice, services: list[Service]) -> ModelPrice:
    return replace(price, services=tuple(sorted(services, key=lambda each: each.name)))
