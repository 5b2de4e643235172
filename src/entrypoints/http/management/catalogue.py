from quart import Blueprint, Response

from ....application.gateway import Gateway
from ... import views
from ..bodies import read
from . import bodies
from .answers import as_json, as_list, check_args


def add_catalogue(blueprint: Blueprint, gateway: Gateway) -> None:
    """Providers and routes. Read from the store itself, so that what was just written is
    seen."""

    @blueprint.get("/providers")
    async def list_providers() -> Response:
        check_args()
        catalogue = await gateway.catalogues.load()
        return as_list([views.provider_view(p) for p in catalogue.providers.values()])

    @blueprint.put("/providers/<name>")
    async def define_provider(name: str) -> Response:
        body = await read(bodies.ProviderBody)
        provider = gateway.define_provider.order(
            name, body.kind, body.base_url, needs_credential=body.needs_credential
        )
        return as_json(views.provider_view(await gateway.define_provider(provider)))

    @blueprint.delete("/providers/<name>")
    async def remove_provider(name: str) -> Response:
        await gateway.define_provider.remove(name)
        return as_json({"removed": name})

    @blueprint.get("/routes")
    async def list_routes() -> Response:
        check_args()
        catalogue = await gateway.catalogues.load()
        return as_list([views.route_view(route) for route in catalogue.routes])

    @blueprint.put("/routes/<path:model>")
    async def define_route(model: str) -> Response:
        body = await read(bodies.RouteBody)
        return as_json(views.route_view(await gateway.define_route(body.route(model))))

    @blueprint.delete("/routes/<path:model>")
    async def remove_route(model: str) -> Response:
        await gateway.define_route.remove(model)
        return as_json({"removed": model})
