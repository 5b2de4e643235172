from quart import Blueprint, Response

from ....application.gateway import Gateway
from ... import views
from .answers import as_json


def add_verify(blueprint: Blueprint, gateway: Gateway) -> None:
    @blueprint.get("/verify")
    async def verify() -> Response:
        """200 whatever it finds: `is_sound` tells."""
        return as_json(views.verdict_view(await gateway.verify_ledger()))
