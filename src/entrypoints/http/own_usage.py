"""What a key may know of itself: where it stands, and what it has spent."""

from collections.abc import Mapping
from typing import Any

import orjson
from quart import Request, Response
from quart import request as current_request

from ...application.gateway import Gateway
from ...application.spend.report_own_usage import OwnUsage, Spent
from ...domain.corrections import BookedCall
from ...domain.keys import VirtualKey
from ...domain.money import ZERO
from ..views import entry_view, moment, settled_view, spend_view
from .bearer import credential_of
from .front import Front
from .management.answers import request_id
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
        response = _private(_usage_view(key, found))
        response.headers.update(dict(limit_headers(standings)))
        return response

    async def one_call(call: str) -> Response:
        key = await gateway.authorize(credential_of(current_request))
        found = await gateway.report_own_usage.call(key, request_id(call))
        return _private(_call_view(found))

    for prefix in ("", "/v1"):
        app.answer("GET", f"{prefix}/usage", usage)
        app.add_url_rule(f"{prefix}/usage/<call>", view_func=one_call)


def _private(body: Mapping[str, Any]) -> Response:
    response = Response(orjson.dumps(body), content_type="application/json")
    response.headers["cache-control"] = "no-store"
    return response


def _usage_view(key: VirtualKey, found: OwnUsage) -> dict[str, Any]:
    return {
        "object": "usage",
        "key": {"id": str(key.id), "name": key.name},
        "at": moment(found.at_ns),
        "limits": [
            standing_view(key, limit, standing, found.at_ns) for limit, standing in found.limits
        ],
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


def _call_view(call: BookedCall) -> dict[str, Any]:
    """With what it comes to by now. Whom else it is put down to, and what operators say of their
    corrections, are not its holder's."""
    entry = entry_view(call.entry)
    for name in ("key_id", "team_id", "organization_id"):
        del entry[name]
    return {"object": "call", **entry, **settled_view(call)}
