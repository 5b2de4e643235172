from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ...domain.catalogue import Catalogue
from ...domain.errors import InvalidRequest, NotFound
from ...domain.pricing import DatedPrice, ModelPrice, Service
from ..ports.catalogues import CatalogueLookup, Catalogues
from ..ports.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceOrder:
    """What a model is to cost. Without `from_ns`: from when it is written on."""

    provider: str
    model: str
    price: ModelPrice
    from_ns: int | None = None

    def dated(self, now_ns: int) -> DatedPrice:
        return DatedPrice(
            provider=self.provider,
            model=self.model,
            effective_from_ns=now_ns if self.from_ns is None else self.from_ns,
            price=self.price,
        )


@dataclass(frozen=True, slots=True)
class SetPrice:
    """Open to administrators. Adds a dated price: what was in force before it stays on record, and
    past entries keep what they cost. What stays of that is read as nobody else changes it, so of
    two administrators at the same time neither undoes what the other does. Raises
    InvalidRequest."""

    catalogues: Catalogues
    catalogue: CatalogueLookup
    clock: Clock

    async def __call__(self, order: PriceOrder) -> DatedPrice:
        return await self._change(order.provider, order.model, order.from_ns, lambda _: order.price)

    async def ordinary(self, order: PriceOrder) -> DatedPrice:
        """Services of the price in force by then keep theirs."""

        def with_services(before: ModelPrice | None) -> ModelPrice:
            return replace(order.price, services=before.services if before else ())

        return await self._change(order.provider, order.model, order.from_ns, with_services)

    async def of_service(self, name: str, order: PriceOrder) -> DatedPrice:
        """What a model costs at that service alone; all else stays as it is in force by then."""

        def with_this(before: ModelPrice | None) -> ModelPrice:
            if before is None:
                raise InvalidRequest(
                    f"{order.model!r} has no price yet that one of a service could stand beside.",
                    param="service",
                )
            own = Service(name, replace(order.price, services=()))
            try:
                return _with(before, [*_others(before, name), own])
            except ValueError as error:
                raise InvalidRequest(f"{error}.", param="service") from error

        return await self._change(order.provider, order.model, order.from_ns, with_this)

    async def without_service(
        self, provider: str, model: str, name: str, from_ns: int | None = None
    ) -> DatedPrice:
        """From then on, the service costs what the ordinary one costs. Raises NotFound."""

        def without_it(before: ModelPrice | None) -> ModelPrice:
            others = _others(before, name) if before else []
            if before is None or len(others) == len(before.services):
                raise NotFound("price of a service", name)
            return _with(before, others)

        return await self._change(provider, model, from_ns, without_it)

    async def _change(
        self,
        provider: str,
        model: str,
        from_ns: int | None,
        change: Callable[[ModelPrice | None], ModelPrice],
    ) -> DatedPrice:
        def changed(there: Catalogue) -> Sequence[DatedPrice]:
            if provider not in there.providers:
                raise InvalidRequest(f"There is no provider {provider!r}.", param="provider")
            # As late as this: whoever had to wait comes after those before it.
            at_ns = _whole_us(self.clock.now_ns()) if from_ns is None else from_ns
            price = DatedPrice(
                provider=provider,
                model=model,
                effective_from_ns=at_ns,
                price=change(there.prices.at(provider, model, at_ns)),
            )
            return [price]

        (price,) = await self.catalogues.change_prices(changed)
        await self.catalogue.refresh()
        return price


def _others(price: ModelPrice, name: str) -> list[Service]:
    return [each for each in price.services if each.name != name]


def _with(price: ModelPrice, services: list[Service]) -> ModelPrice:
    return replace(price, services=tuple(sorted(services, key=lambda each: each.name)))


def _whole_us(ns: int) -> int:
    """As prices are kept."""
    return ns // 1000 * 1000
