from quart import Blueprint, Response, request

from ....application.gateway import Gateway
from ....application.ports.ledger import SpendQuery
from ... import views
from .answers import as_list, count_arg, key_id, moment_arg


def add_spend(blueprint: Blueprint, gateway: Gateway) -> None:
    """What was spent, and the calls themselves."""

    @blueprint.get("/spend")
    async def spend() -> Response:
        key = request.args.get("key")
        query = SpendQuery(
            by=request.args.get("by", "key"),
            from_ns=moment_arg("from"),
            until_ns=moment_arg("until"),
            key_id=key_id(key, "key") if key else None,
        )
        return as_list([views.spend_view(line) for line in await gateway.report_spend(query)])

    @blueprint.get("/ledger")
    async def ledger() -> Response:
        key = request.args.get("key")
        entries = await gateway.report_spend.entries(
            key_id(key, "key") if key else None, count_arg("limit", 100)
        )
        return as_list([views.entry_view(entry) for entry in entries])
