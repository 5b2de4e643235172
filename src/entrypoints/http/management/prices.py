from quart import Blueprint, Response, request

from ....application.gateway import Gateway
from ....domain.fields import required
from ...price_views import difference_view, price_view, re_rating_view
from ..bodies import read
from .answers import as_json, as_list, check_args
from .price_bodies import PriceBody, ReRateBody, ServicePriceBody, SyncBody


def add_prices(blueprint: Blueprint, gateway: Gateway) -> None:
    """What models cost, and what their providers list."""

    @blueprint.get("/prices")
    async def list_prices() -> Response:
        check_args()
        catalogue = await gateway.catalogues.load()
        return as_list([price_view(row) for row in catalogue.prices.rows()])

    @blueprint.post("/prices")
    async def set_price() -> Response:
        body = await read(PriceBody)
        price = await gateway.set_price(body.order())
        return as_json(price_view(price), 201)

    @blueprint.post("/prices/services")
    async def set_service_price() -> Response:
        body = await read(ServicePriceBody)
        price = await gateway.set_price.of_service(body.service, body.order())
        return as_json(price_view(price), 201)

    @blueprint.delete("/prices/services")
    async def remove_service_price() -> Response:
        names = "provider", "model", "service"
        check_args(*names)
        provider, model, service = (required(request.args, name, str) for name in names)
        price = await gateway.set_price.without_service(provider, model, service)
        return as_json(price_view(price))

    @blueprint.get("/prices/diff")
    async def compare_prices() -> Response:
        check_args()
        return as_list([difference_view(each) for each in await gateway.compare_prices()])

    @blueprint.post("/prices/sync")
    async def sync_prices() -> Response:
        body = await read(SyncBody, empty_is={})
        steps = await gateway.sync_prices(force=body.force, apply=body.apply)
        data = [{**difference_view(each), "step": str(step)} for each, step in steps]
        return as_json({"object": "list", "applied": body.apply, "data": data})

    @blueprint.post("/prices/re-rate")
    async def re_rate() -> Response:
        body = await read(ReRateBody)
        found = await gateway.re_rate(body.query(), reason=body.reason, apply=body.apply)
        return as_json({"applied": body.apply, **re_rating_view(found)})
