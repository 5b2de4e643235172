from collections.abc import AsyncGenerator
from dataclasses import replace

import orjson
from quart import Request, Response

from ....application.chat.stream_chat import ChatStream
from ....application.gateway import Gateway
from ....domain.chat import ChatRequest
from ..bearer import credential_of
from ..bodies import read_json
from ..connection import close_in_the_end
from ..errors import explained
from ..front import Handler, error_response
from ..headers import receipt_headers
from .dialect import DialectFront

_JSON = "application/json"
_SSE = "text/event-stream; charset=utf-8"


def answering(front: DialectFront, gateway: Gateway) -> Handler:
    """A chat in a dialect, whole or streamed, with its errors in the same."""

    async def handle(request: Request) -> Response:
        try:
            return await _answer(front, gateway, request)
        except Exception as error:  # noqa: BLE001  (this is where they become answers)
            return await error_response(error, front.error)

    return handle


async def _answer(front: DialectFront, gateway: Gateway, request: Request) -> Response:
    key = await gateway.authorize(credential_of(request))
    chat = _with_headers(front, request, front.parse(await read_json(request)))
    if chat.stream:
        stream = await gateway.stream_chat(key, chat)
        close_in_the_end(request, stream)
        response = Response(_events(front, chat, stream), content_type=_SSE)
        response.headers.update(receipt_headers(stream.receipt))
        response.headers["cache-control"] = "no-cache"
        response.headers["x-accel-buffering"] = "no"
        return response
    completed = await gateway.complete_chat(key, chat)
    return Response(
        orjson.dumps(front.reply(chat, completed)),
        headers=receipt_headers(completed.receipt),
        content_type=_JSON,
    )


def _with_headers(front: DialectFront, request: Request, chat: ChatRequest) -> ChatRequest:
    # One that is sent in several lines is one list (RFC 9110, 5.3).
    kept = {
        name: ", ".join(request.headers.getlist(name))
        for name in front.passed_on
        if name in request.headers
    }
    if not kept or chat.native is None:
        return chat
    return replace(chat, native=replace(chat.native, headers=kept))


async def _events(
    front: DialectFront, chat: ChatRequest, stream: ChatStream
) -> AsyncGenerator[bytes, None]:
    try:
        async for event in front.events(chat, stream):
            yield event
    except Exception as error:  # noqa: BLE001  (the status has been sent: only the event can tell)
        # Never a clean end without the provider's own. A fault of ours is no hang-up of the
        # client's, and is not to be taken for one by who reads the ledger.
        await stream.break_off(type(error).__name__)
        message, answer = explained(error)
        yield front.error_event(message, answer)
    finally:
        await stream.aclose()
