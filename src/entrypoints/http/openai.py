"""What applications call: OpenAI's paths, with and without `/v1`."""

from collections.abc import AsyncGenerator
from typing import Any

import orjson
from quart import Blueprint, Response, request

from ...application.chat.list_models import ModelCard
from ...application.chat.stream_chat import ChatStream
from ...application.gateway import Gateway
from ...domain.chat import ChatRequest
from ...domain.errors import GatewayError
from .bodies import read_json
from .connection import close_in_the_end
from .errors import rendered
from .headers import receipt_headers

_JSON = "application/json"
_SSE = "text/event-stream; charset=utf-8"


def openai_blueprint(gateway: Gateway) -> Blueprint:
    blueprint = Blueprint("openai", __name__)

    async def chat_completions() -> Response:
        key = await gateway.authorize(bearer())
        chat = ChatRequest.parse(await read_json())
        if chat.stream:
            return _streamed(await gateway.stream_chat(key, chat))
        completed = await gateway.complete_chat(key, chat)
        return Response(
            orjson.dumps(completed.body),
            headers=receipt_headers(completed.receipt),
            content_type=_JSON,
        )

    async def models() -> Response:
        key = await gateway.authorize(bearer())
        cards = [_card(card) for card in gateway.list_models(key)]
        return Response(orjson.dumps({"object": "list", "data": cards}), content_type=_JSON)

    async def one_model(model: str) -> Response:
        key = await gateway.authorize(bearer())
        return Response(
            orjson.dumps(_card(gateway.list_models.one(key, model))), content_type=_JSON
        )

    for prefix in ("", "/v1"):
        blueprint.post(f"{prefix}/chat/completions")(chat_completions)
        blueprint.get(f"{prefix}/models")(models)
        blueprint.get(f"{prefix}/models/<path:model>")(one_model)
    return blueprint


def bearer() -> str | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def _streamed(stream: ChatStream) -> Response:
    close_in_the_end(request, stream)
    response = Response(_events(stream), content_type=_SSE)
    response.headers.update(receipt_headers(stream.receipt))
    response.headers["cache-control"] = "no-cache"
    response.headers["x-accel-buffering"] = "no"
    return response


async def _events(stream: ChatStream) -> AsyncGenerator[bytes, None]:
    try:
        async for chunk in stream:
            yield b"data: " + orjson.dumps(chunk) + b"\n\n"
        yield b"data: [DONE]\n\n"
    except GatewayError as error:
        # Never a clean end without the provider's own: client libraries raise on this event.
        body, _ = rendered(error)
        yield b"data: " + orjson.dumps(body) + b"\n\n"
    finally:
        await stream.aclose()


def _card(card: ModelCard) -> dict[str, Any]:
    return {"id": card.model, "object": "model", "created": 0, "owned_by": card.owned_by}
