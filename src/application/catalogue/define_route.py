from dataclasses import dataclass

from ...domain.errors import InvalidRequest, NotFound
from ...domain.routes import ModelRoute
from ..ports.catalogues import CatalogueLookup, Catalogues


@dataclass(frozen=True, slots=True)
class DefineRoute:
    """Open to administrators. Adds a route or replaces the one of that model. Takes effect on every
    node within one second. Raises InvalidRequest, NotFound."""

    catalogues: Catalogues
    catalogue: CatalogueLookup

    async def __call__(self, route: ModelRoute) -> ModelRoute:
        known = (await self.catalogues.load()).providers
        for index, target in enumerate(route.targets):
            if target.provider not in known:
                raise InvalidRequest(
                    f"There is no provider {target.provider!r}.",
                    param=f"targets.{index}.provider",
                )
        await self.catalogues.put(routes=[route])
        await self.catalogue.refresh()
        return route

    async def remove(self, model: str) -> None:
        if not await self.catalogues.remove_route(model):
            raise NotFound("route", model)
        await self.catalogue.refresh()
