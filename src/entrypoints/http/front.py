from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from quart import Quart, Request, Response
from quart.globals import request_ctx
from quart.typing import ResponseTypes
from werkzeug.exceptions import MethodNotAllowed

from ...application.ports.entropy import Entropy
from ...domain.errors import GatewayError
from .errors import Answer, body_of, explained, headers_of
from .headers import receipt_headers

Handler = Callable[[Request], Awaitable[Response]]
Refusal = Callable[[Exception], Awaitable[Response]]


class Front(Quart):
    """Quart, with a short way for what is called a thousand times a second.

    `answer` adds a path whose handler is given its request. Nothing else needs to be looked up or
    set up for it: Quart's request context, its rules and its signals are a tenth of what a call
    costs. Everything that has no such path goes Quart's own way.
    """

    def __init__(self, entropy: Entropy, max_body_bytes: int) -> None:
        super().__init__("langroute", static_folder=None)
        self.config["MAX_CONTENT_LENGTH"] = max_body_bytes
        self._entropy = entropy
        self._handlers: dict[tuple[str, str], Handler] = {}
        self._refusals: list[tuple[Callable[[Request], bool], Refusal]] = []
        self.register_error_handler(Exception, self._refused)
        self.after_request(self._named)

    def answer(self, method: str, path: str, handler: Handler) -> None:
        """The path is fixed, without parts to be filled in."""

        async def view() -> Response:
            return await handler(request_ctx.request)

        # So that Quart knows it, too: another method is then a 405, and OPTIONS is answered.
        self.add_url_rule(path, f"{method} {path}", view, methods=[method])
        self._handlers[method, path] = handler

    def refuse(self, which: Callable[[Request], bool], refusal: Refusal) -> None:
        """How such requests are told of an error, if not in OpenAI's shape."""
        self._refusals.append((which, refusal))

    async def handle_request(self, request: Request) -> ResponseTypes:
        handler = self._handlers.get((request.method, request.path))
        if handler is None:
            return await super().handle_request(request)
        request.max_content_length = self.config["MAX_CONTENT_LENGTH"]
        try:
            response = await handler(request)
        except Exception as error:  # noqa: BLE001  (the one place that turns them into answers)
            response = await self.refusal(request, error)
        return await self._named(response)

    async def _refused(self, error: Exception) -> Response:
        return await self.refusal(request_ctx.request, error)

    async def refusal(self, request: Request, error: Exception) -> Response:
        """In the shape that whoever asks expects."""
        for is_one, refusal in self._refusals:
            if is_one(request):
                return await refusal(error)
        return await error_response(error)

    async def _named(self, response: ResponseTypes) -> ResponseTypes:
        if "x-request-id" not in response.headers:
            response.headers["x-request-id"] = f"req_{self._entropy.uuid().hex}"
        return response


async def error_response(
    error: Exception, shape: Callable[[str, Answer], Mapping[str, Any]] = body_of
) -> Response:
    """In OpenAI's shape, or in another."""
    message, answer = explained(error)
    response = Response(
        orjson.dumps(shape(message, answer)), status=answer.status, content_type="application/json"
    )
    response.headers.update(headers_of(answer))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["allow"] = ", ".join(sorted(error.valid_methods))  # RFC 9110, 15.5.6
    if isinstance(error, GatewayError) and error.receipt is not None:
        response.headers.update(receipt_headers(error.receipt))
    return response
