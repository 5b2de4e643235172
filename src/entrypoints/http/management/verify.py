from quart import Blueprint, Response

from ....application.gateway import Gateway
from ... import views
from .answers import as_json, check_args
from .one_at_a_time import OneAtATime


def add_verify(blueprint: Blueprint, gateway: Gateway) -> None:
    one = OneAtATime("verification")

    @blueprint.get("/verify")
    async def verify() -> Response:
        """200 whatever it finds: `is_sound` tells."""
        check_args()
        with one.turn():
            return as_json(views.verdict_view(await gateway.verify_ledger()))
