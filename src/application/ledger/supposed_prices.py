from collections.abc import Iterable
from functools import lru_cache

from ...domain.pricing import DatedPrice, ModelPrice, PriceBook
from ...domain.what_if import Prices
from ..ports.list_prices import ListPrices

# Callers make up names of models, where a route is a wildcard.
_REMEMBERED = 4096


class SupposedPrices:
    """Those that are given, and then those that providers list, of models as they come."""

    def __init__(self, given: Iterable[DatedPrice], listed: ListPrices | None = None) -> None:
        self._given = PriceBook.of(given)
        self._listed = listed
        self._book = lru_cache(_REMEMBERED)(self._listed_of)

    def at(self, provider: str, model: str, now_ns: int) -> ModelPrice | None:
        given = self._given.at(provider, model, now_ns)
        if given is not None or self._listed is None:
            return given
        return self._book(provider, model).at(provider, model, now_ns)

    def _listed_of(self, provider: str, model: str) -> PriceBook:
        return PriceBook.of(self._listed.of(provider, [model]) if self._listed else ())


_: type[Prices] = SupposedPrices
