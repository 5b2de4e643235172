from quart import Blueprint, Response, request

from ....application.gateway import Gateway
from ....application.ports.audit import ChangeQuery
from ...audit_views import change_view
from .answers import as_list, check_args, count_arg, moment_arg


def add_audit(blueprint: Blueprint, gateway: Gateway) -> None:
    """Who changed what."""

    @blueprint.get("/audit")
    async def audit() -> Response:
        check_args("kind", "name", "from", "until", "limit")
        query = ChangeQuery(
            kind=request.args.get("kind"),
            name=request.args.get("name"),
            from_ns=moment_arg("from"),
            until_ns=moment_arg("until"),
            limit=count_arg("limit", 100),
        )
        return as_list([change_view(each) for each in await gateway.report_changes(query)])
