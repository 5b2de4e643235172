from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Self

from .patterns import matched_by_star
from .pricing import DatedPrice, PriceBook
from .providers import Provider
from .routes import ModelRoute

_LONGEST_NAME = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """Everything an operator has defined, at one moment: providers, routes, prices."""

    providers: Mapping[str, Provider]
    routes: tuple[ModelRoute, ...]
    prices: PriceBook
    exact: Mapping[str, ModelRoute]
    wildcards: tuple[tuple[str, ModelRoute], ...]

    @classmethod
    def of(
        cls,
        providers: Iterable[Provider] = (),
        routes: Iterable[ModelRoute] = (),
        prices: Iterable[DatedPrice] = (),
    ) -> Self:
        routes = tuple(routes)
        exact: dict[str, ModelRoute] = {}
        wildcards: list[tuple[str, ModelRoute]] = []
        # A route's own name wins over another route's alias.
        named = [(route.model, route) for route in routes]
        named += [(alias, route) for route in routes for alias in route.aliases]
        for name, route in named:
            if "*" in name:
                wildcards.append((name, route))
            else:
                exact.setdefault(name, route)
        wildcards.sort(key=lambda pair: (-len(pair[0]), pair[0]))
        return cls(
            providers={provider.name: provider for provider in providers},
            routes=routes,
            prices=PriceBook.of(prices),
            exact=exact,
            wildcards=tuple(wildcards),
        )

    def route(self, model: str) -> ModelRoute | None:
        """By name or alias first, then by the wildcard with the most letters."""
        found = self.exact.get(model)
        if found is not None:
            return found
        if len(model) > _LONGEST_NAME or not model.isprintable():
            return None  # a wildcard would pass it on, and headers would tell it
        for pattern, route in self.wildcards:
            if matched_by_star(pattern, model) is not None:
                return route
        return None


EMPTY_CATALOGUE = Catalogue.of()
