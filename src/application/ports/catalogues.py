from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from ...domain.catalogue import Catalogue
from ...domain.pricing import DatedPrice
from ...domain.providers import Provider
from ...domain.routes import ModelRoute


class CatalogueLookup(Protocol):
    """What a request needs: the present catalogue, from memory."""

    def current(self) -> Catalogue: ...

    async def refresh(self) -> None:
        """Reads it anew, so that what was just written is current here at once."""
        ...


class Catalogues(Protocol):
    """What operators define. Each `put` adds, or replaces what has the same name; it is one
    transaction, and raises NotFound for a route to a provider that does not exist."""

    async def load(self) -> Catalogue: ...

    async def put(
        self,
        *,
        providers: Iterable[Provider] = (),
        routes: Iterable[ModelRoute] = (),
        prices: Iterable[DatedPrice] = (),
    ) -> None: ...

    async def change_prices(
        self, change: Callable[[Catalogue], Sequence[DatedPrice]]
    ) -> Sequence[DatedPrice]:
        """Puts the prices that `change` makes of what there is, and returns them. Nobody else puts
        a price in between. Raises what `change` raises: then nothing is changed."""
        ...

    async def remove_provider(self, name: str) -> bool:
        """Whether there was one. Raises StillInUse while a route names it."""
        ...

    async def remove_route(self, model: str) -> bool: ...


class StillInUse(Exception):
    """Carries the names of the routes that still point there."""

    def __init__(self, routes: tuple[str, ...]) -> None:
        super().__init__(", ".join(routes))
        self.routes = routes
