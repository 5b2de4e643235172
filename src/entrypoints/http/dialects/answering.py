from dataclasses import replace

import orjson
from quart import Request, Response

from ....application.gateway import Gateway
from ....domain.chat import ChatRequest
from ....domain.errors import InvalidRequest
from ..bearer import credential_of
from ..bodies import read_json
from ..event_stream import event_stream
from ..front import Handler, error_response
from ..headers import receipt_headers
from ..tags import HEADER as TAG
from ..tags import tag_of
from .dialect import DialectFront

_JSON = "application/json"
_SHRINK = "x-langroute-shrink"
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


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
    chat = with_headers(front, request, front.parse(await read_json(request)))
    if chat.stream:
        stream = await gateway.stream_chat(key, chat)
        return event_stream(request, stream, front.events(chat, stream), front.error_event)
    completed = await gateway.complete_chat(key, chat)
    return Response(
        orjson.dumps(front.reply(chat, completed)),
        headers=receipt_headers(completed.receipt),
        content_type=_JSON,
    )


def with_headers(front: DialectFront, request: Request, chat: ChatRequest) -> ChatRequest:
    if _SHRINK in request.headers:
        chat = replace(chat, shrink=_flag(request.headers[_SHRINK]))
    if TAG in request.headers:
        chat = replace(chat, tag=tag_of(request))
    # One that is sent in several lines is one list (RFC 9110, 5.3).
    kept = {
        name: ", ".join(request.headers.getlist(name))
        for name in front.passed_on
        if name in request.headers
    }
    if not kept or chat.native is None:
        return chat
    return replace(chat, native=replace(chat.native, headers=kept))


def _flag(told: str) -> bool:
    """Raises InvalidRequest."""
    flag = _FLAGS.get(told.strip().lower())
    if flag is None:
        raise InvalidRequest(f"'{_SHRINK}' must be true or false.", param=_SHRINK)
    return flag
