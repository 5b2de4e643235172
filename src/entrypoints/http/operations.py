"""What applications ask for beside chats: OpenAI's paths, with and without `/v1`."""

import orjson
from quart import Request, Response
from werkzeug.http import parse_options_header

from ...application.gateway import Gateway
from ...domain.operations import Operation, OperationRequest
from .bearer import credential_of
from .bodies import read_body, read_json
from .form import read_form
from .front import Front, Handler
from .headers import receipt_headers

_FORM = "multipart/form-data"


def add_operations(app: Front, gateway: Gateway) -> None:
    for operation in Operation:
        perform = _performing(operation, gateway)
        for prefix in ("", "/v1"):
            app.answer("POST", f"{prefix}/{operation}", perform)


def _performing(operation: Operation, gateway: Gateway) -> Handler:
    async def perform(request: Request) -> Response:
        key = await gateway.authorize(credential_of(request))
        done = await gateway.perform_operation(key, await _asked(operation, request))
        return Response(
            done.body if isinstance(done.body, bytes) else orjson.dumps(done.body),
            headers=receipt_headers(done.receipt),
            content_type=done.content_type,
        )

    return perform


async def _asked(operation: Operation, request: Request) -> OperationRequest:
    """Raises InvalidRequest, naming the field."""
    kind, options = parse_options_header(request.headers.get("content-type"))
    is_form = kind.lower() == _FORM
    operation.check_sent_as(form=is_form)
    if not is_form:
        return OperationRequest.parse(operation, await read_json(request))
    fields, files = read_form(await read_body(request), options.get("boundary"))
    return OperationRequest.parse(operation, fields, files)
