"""What applications call: OpenAI's paths, with and without `/v1`."""

from collections.abc import AsyncGenerator
from typing import Any

import orjson
from quart import Request, Response
from quart import request as current_request

from ...application.chat.list_models import ModelCard
from ...application.chat.stream_chat import ChatStream
from ...application.gateway import Gateway
from ...domain.chat import ChatRequest
from ...domain.errors import GatewayError
from .bearer import credential_of
from .bodies import read_json
from .connection import close_in_the_end
from .dialects.answering import answering
from .dialects.completions import Completions
from .errors import rendered
from .front import Front
from .headers import receipt_headers

_JSON = "application/json"
_SSE = "text/event-stream; charset=utf-8"


def add_openai(app: Front, gateway: Gateway) -> None:
    async def chat_completions(request: Request) -> Response:
        key = await gateway.authorize(credential_of(request))
        chat = ChatRequest.parse(await read_json(request))
        if chat.stream:
            return _streamed(request, await gateway.stream_chat(key, chat))
        completed = await gateway.complete_chat(key, chat)
        return Response(
            orjson.dumps(completed.body),
            headers=receipt_headers(completed.receipt),
            content_type=_JSON,
        )

    async def models(request: Request) -> Response:
        key = await gateway.authorize(credential_of(request))
        cards = [_card(card) for card in gateway.list_models(key)]
        return Response(orjson.dumps({"object": "list", "data": cards}), content_type=_JSON)

    async def one_model(model: str) -> Response:
        key = await gateway.authorize(credential_of(current_request))
        return Response(
            orjson.dumps(_card(gateway.list_models.one(key, model))), content_type=_JSON
        )

    for prefix in ("", "/v1"):
        app.answer("POST", f"{prefix}/chat/completions", chat_completions)
        app.answer("POST", f"{prefix}/completions", answering(Completions(), gateway))
        app.answer("GET", f"{prefix}/models", models)
        app.add_url_rule(f"{prefix}/models/<path:model>", view_func=one_model)


def _streamed(request: Request, stream: ChatStream) -> Response:
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
