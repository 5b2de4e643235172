"""Models, at the one path that the clients of OpenAI, Mistral and Anthropic share."""

from collections.abc import Mapping
from typing import Any

import orjson
from quart import Request, Response
from quart import request as current_request

from ...application.calls.list_models import ModelCard
from ...application.gateway import Gateway
from ...domain.errors import UnknownModel
from .bearer import credential_of
from .dialects.messages.models import model_info, model_page
from .dialects.messages.paths import is_anthropics
from .dialects.messages.request_ids import identified
from .front import Front


def add_models(app: Front, gateway: Gateway) -> None:
    async def models(request: Request) -> Response:
        key = await gateway.authorize(credential_of(request))
        cards = gateway.list_models(key)
        if is_anthropics(request):
            return await identified(_answer(model_page(cards, request.args)))
        return _answer({"object": "list", "data": [_card(card) for card in cards]})

    async def one_model(model: str) -> Response:
        key = await gateway.authorize(credential_of(current_request))
        try:
            card = gateway.list_models.one(key, model)
        except UnknownModel as error:
            # Elsewhere a model is a field of the request; here it is what is asked for.
            refusal = await app.refusal(current_request, error)
            refusal.status_code = 404
            return refusal
        if is_anthropics(current_request):
            return await identified(_answer(model_info(card)))
        return _answer(_card(card))

    for prefix in ("", "/v1"):
        app.answer("GET", f"{prefix}/models", models)
        app.add_url_rule(f"{prefix}/models/<path:model>", view_func=one_model)


def _answer(body: Mapping[str, Any]) -> Response:
    return Response(orjson.dumps(body), content_type="application/json")


def _card(card: ModelCard) -> dict[str, Any]:
    """OpenAI's, and with the last two, which Mistral's clients cannot do without, Mistral's:
    https://docs.mistral.ai/api/#tag/models"""
    return {
        "id": card.model,
        "object": "model",
        "created": 0,
        "owned_by": card.owned_by,
        "type": "base",
        "capabilities": {},
    }
