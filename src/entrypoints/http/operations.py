"""What applications ask for beside chats: OpenAI's paths, with and without `/v1`."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TypeGuard

import orjson
from quart import Request, Response
from werkzeug.http import parse_options_header

from ...application.calls.paid_stream import PaidStream
from ...application.calls.perform_operation import PerformedOperation
from ...application.gateway import Gateway
from ...domain.operations import Operation, OperationRequest
from .bearer import credential_of
from .bodies import read_body, read_json
from .dialects.dialect import OpenAIErrors
from .event_stream import event_stream
from .form import read_form
from .front import Front, Handler
from .headers import receipt_headers
from .idempotency import Once
from .tags import HEADER as TAG
from .tags import tag_of

_FORM = "multipart/form-data"
_ERRORS = OpenAIErrors()


def add_operations(app: Front, gateway: Gateway, once: Once) -> None:
    for operation in Operation:
        perform = once(_performing(operation, gateway))
        for prefix in ("", "/v1"):
            app.answer("POST", f"{prefix}/{operation}", perform)


def _performing(operation: Operation, gateway: Gateway) -> Handler:
    async def perform(request: Request) -> Response:
        key = await gateway.authorize(credential_of(request))
        asked = await _asked(operation, request)
        if not asked.stream:
            return _whole(await gateway.perform_operation(key, asked))
        made = await gateway.stream_operation(key, asked)
        if isinstance(made, PerformedOperation):
            return _whole(made)
        return event_stream(request, made, _events(made), _ERRORS.error_event)

    return perform


def _whole(made: PerformedOperation) -> Response:
    return Response(
        made.body if isinstance(made.body, bytes) else orjson.dumps(made.body),
        headers=receipt_headers(made.receipt),
        content_type=made.content_type,
    )


async def _events(stream: PaidStream) -> AsyncIterator[bytes]:
    """Named as they call themselves. Without a closing `[DONE]`, which not all clients of them
    know; those that do are content with the end."""
    async for body in stream:
        kind = body.get("type")
        name = b"event: %s\n" % kind.encode() if _is_a_name(kind) else b""
        yield b"%sdata: %s\n\n" % (name, orjson.dumps(body))


def _is_a_name(kind: object) -> TypeGuard[str]:
    return isinstance(kind, str) and kind.isascii() and kind.isprintable()


async def _asked(operation: Operation, request: Request) -> OperationRequest:
    """Raises InvalidRequest, naming the field."""
    asked = await _parsed(operation, request)
    return replace(asked, tag=tag_of(request)) if TAG in request.headers else asked


async def _parsed(operation: Operation, request: Request) -> OperationRequest:
    kind, options = parse_options_header(request.headers.get("content-type"))
    is_form = kind.lower() == _FORM
    operation.check_sent_as(form=is_form)
    if not is_form:
        return OperationRequest.parse(operation, await read_json(request))
    fields, files = read_form(await read_body(request), options.get("boundary"))
    return OperationRequest.parse(operation, fields, files)
