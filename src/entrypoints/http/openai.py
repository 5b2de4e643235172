"""What applications call: OpenAI's paths, with and without `/v1`."""

from typing import Any

import orjson
from quart import Request, Response
from quart import request as current_request

from ...application.chat.list_models import ModelCard
from ...application.gateway import Gateway
from .bearer import credential_of
from .dialects.answering import answering
from .dialects.chat_completions import ChatCompletions
from .dialects.completions import Completions
from .dialects.messages.count_tokens import counting_tokens
from .dialects.messages.front import Messages
from .dialects.messages.request_ids import with_request_id
from .dialects.responses.front import Responses
from .front import Front
from .operations import add_operations

_JSON = "application/json"


def add_openai(app: Front, gateway: Gateway) -> None:
    async def models(request: Request) -> Response:
        key = await gateway.authorize(credential_of(request))
        cards = [_card(card) for card in gateway.list_models(key)]
        return Response(orjson.dumps({"object": "list", "data": cards}), content_type=_JSON)

    async def one_model(model: str) -> Response:
        key = await gateway.authorize(credential_of(current_request))
        return Response(
            orjson.dumps(_card(gateway.list_models.one(key, model))), content_type=_JSON
        )

    messages = Messages()
    counting = counting_tokens(messages, gateway)
    for prefix in ("", "/v1"):
        app.answer("POST", f"{prefix}/chat/completions", answering(ChatCompletions(), gateway))
        app.answer("POST", f"{prefix}/completions", answering(Completions(), gateway))
        app.answer("POST", f"{prefix}/messages", with_request_id(answering(messages, gateway)))
        app.answer("POST", f"{prefix}/messages/count_tokens", with_request_id(counting))
        app.answer("POST", f"{prefix}/responses", answering(Responses(), gateway))
        app.answer("GET", f"{prefix}/models", models)
        app.add_url_rule(f"{prefix}/models/<path:model>", view_func=one_model)
    add_operations(app, gateway)


def _card(card: ModelCard) -> dict[str, Any]:
    return {"id": card.model, "object": "model", "created": 0, "owned_by": card.owned_by}
