"""What a key may know of itself: where it stands, and what it has spent."""

from typing import Any

import orjson
from quart import Request, Response

from ...application.gateway import Gateway
from ...application.spend.report_own_usage import OwnUsage, Spent
from ...domain.keys import VirtualKey
from ...domain.money import ZERO
from ..views import moment, spend_view
from .bearer import credential_of
from .front import Front
from .rate_limits import limit_headers
from .standing_views import standing_view


def add_own_usage(app: Front, gateway: Gateway) -> None:
    async def usage(request: Request) -> Response:
        """`user` and `tag` name those whose limits are counted apart."""
        key = await gateway.authorize(credential_of(request))
        found = await gateway.report_own_usage(
            key, request.args.get("user") or None, request.args.get("tag") or None
        )
        standings = [standing for _, standing in found.limits if standing is not None]
        response = Response(orjson.dumps(_usage_view(key, found)), content_type="application/json")
        response.headers.update(dict(limit_headers(standings)))
        response.headers["cache-control"] = "no-store"
        return response

    for prefix in ("", "/v1"):
        app.answer("GET", f"{prefix}/usage", usage)


def _usage_view(key: VirtualKey, found: OwnUsage) -> dict[str, Any]:
    return {
        "object": "usage",
        "key": {"id": str(key.id), "name": key.name},
        "at": moment(found.at_ns),
        "limits": [standing_view(limit, standing, found.at_ns) for limit, standing in found.limits],
        "today": _spent_view(found.today),
        "this_month": _spent_view(found.this_month),
    }


def _spent_view(spent: Spent) -> dict[str, Any]:
    return {
        "from": moment(spent.from_ns),
        "calls": sum(line.calls for line in spent.lines),
        "cost_usd": str(sum((line.cost for line in spent.lines), ZERO)),
        "models": [spend_view(line) for line in spent.lines],
    }
