"""What a call would cost at the most, and whether it would be let in. No provider is asked."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from quart import Request, Response

from ...application.calls.quote_call import Quote
from ...application.gateway import Gateway
from ...domain.chat import ChatRequest
from ...domain.errors import InvalidRequest
from ...domain.fields import required
from ...domain.operations import Operation, OperationRequest
from .bearer import credential_of
from .bodies import read_json
from .dialects.answering import with_headers
from .dialects.chat_completions import ChatCompletions
from .dialects.completions import Completions
from .dialects.dialect import DialectFront
from .dialects.messages.front import Messages
from .dialects.responses.front import Responses
from .front import Front
from .rate_limits import limit_headers
from .standing_views import refusal_view, standing_view
from .tags import tag_of

_CHATS: Mapping[str, DialectFront] = {
    "chat/completions": ChatCompletions(),
    "completions": Completions(),
    "responses": Responses(),
    "messages": Messages(),
}
_FIELDS = ("endpoint", "body")
_OPERATIONS: Mapping[str, Operation] = {str(operation): operation for operation in Operation}


def add_quotes(app: Front, gateway: Gateway) -> None:
    async def quote(request: Request) -> Response:
        """Of `{"endpoint": "/v1/chat/completions", "body": {…}}`: the body is what that endpoint
        takes. Headers mean what they mean there."""
        key = await gateway.authorize(credential_of(request))
        asked = _asked(request, await read_json(request))
        quoted = await gateway.quote_call(key, asked)
        response = Response(orjson.dumps(_view(quoted)), content_type="application/json")
        response.headers.update(dict(limit_headers(quoted.standings)))
        return response

    for prefix in ("", "/v1"):
        app.answer("POST", f"{prefix}/quote", quote)


def _asked(request: Request, given: object) -> ChatRequest | OperationRequest:
    """Raises InvalidRequest, which names a field of the body as its endpoint does."""
    if not isinstance(given, dict):
        raise InvalidRequest("The request body must be a JSON object.")
    for name in given:
        if name not in _FIELDS:
            raise InvalidRequest(f"'{name}' is neither 'endpoint' nor 'body'.", param=name)
    endpoint = required(given, "endpoint", str)
    name = endpoint.strip("/").removeprefix("v1/")
    body = required(given, "body", dict)
    if (front := _CHATS.get(name)) is not None:
        return with_headers(front, request, front.parse(body))
    if (operation := _OPERATIONS.get(name)) is not None:
        return replace(OperationRequest.parse(operation, body), tag=tag_of(request))
    known = ", ".join(f"/v1/{each}" for each in (*_CHATS, *_OPERATIONS))
    raise InvalidRequest(f"'endpoint' must be one of {known}.", param="endpoint")


def _view(quote: Quote[Any]) -> dict[str, Any]:
    plan, ask = quote.plan, quote.plan.ask
    units = plan.request.units_bound
    return {
        "object": "quote",
        "model": ask.model,
        "is_admitted": quote.refusal is None,
        "refusal": quote.refusal and refusal_view(plan.key, quote.refusal, ask.at_ns),
        "cost_bound_usd": str(ask.cost_bound) if ask.priced else None,
        "input_tokens_bound": ask.input_bound,
        "output_tokens_bound": ask.output_bound,
        "output_cap": plan.output_cap,
        "unbounded": plan.request.unbounded,
        "shrunk_from": plan.shrunk_from,
        "targets": [
            {
                "provider": target.provider,
                "model": target.model,
                "cost_bound_usd": None
                if price is None
                else str(price.bound(ask.input_bound, ask.output_bound, units)),
            }
            for target, price in zip(plan.targets, plan.prices, strict=True)
        ],
        "limits": [standing_view(plan.key, s.limit, s, ask.at_ns) for s in quote.standings],
    }
