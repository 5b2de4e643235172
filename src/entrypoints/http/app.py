from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import orjson
from quart import Quart, Response
from quart.sessions import SecureCookieSession, SecureCookieSessionInterface

from ...application.gateway import Gateway
from ...application.ports.clock import Clock
from ...application.ports.entropy import Entropy
from ...domain.errors import GatewayError
from .connection import IDLE_S, HttpConnection
from .errors import headers_of, rendered
from .guard import ManagementGuard
from .headers import receipt_headers
from .health import health_blueprint
from .management.blueprint import management_blueprint
from .openai import openai_blueprint


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpParts:
    """Everything that the HTTP front needs of the rest."""

    gateway: Gateway
    guard: ManagementGuard
    clock: Clock
    entropy: Entropy
    is_ready: Callable[[], Awaitable[bool]]
    max_body_bytes: int
    idle_s: float


class _NoSessions(SecureCookieSessionInterface):
    """There is no browser session here, and looking for one takes 30 µs a request."""

    async def open_session(self, app: Quart, request: Any) -> SecureCookieSession:
        del app, request
        return _NO_SESSION

    async def save_session(self, app: Quart, session: Any, response: Any) -> None:
        del app, session, response


_NO_SESSION = SecureCookieSession()


def create_app(parts: HttpParts) -> Quart:
    app = Quart("langroute", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = parts.max_body_bytes
    # Quart's own make a task for each request; `read_json` has a timer instead.
    app.config["BODY_TIMEOUT"] = None
    app.config[IDLE_S] = parts.idle_s
    app.asgi_http_class = HttpConnection
    app.session_interface = _NoSessions()
    app.register_blueprint(openai_blueprint(parts.gateway))
    app.register_blueprint(management_blueprint(parts.gateway, parts.clock, parts.guard))
    app.register_blueprint(health_blueprint(parts.is_ready))

    @app.errorhandler(Exception)
    async def on_error(error: Exception) -> Response:
        body, answer = rendered(error)
        response = Response(
            orjson.dumps(body), status=answer.status, content_type="application/json"
        )
        response.headers.update(headers_of(answer))
        if isinstance(error, GatewayError) and error.receipt is not None:
            response.headers.update(receipt_headers(error.receipt))
        return response

    @app.after_request
    async def name_the_request(response: Response) -> Response:
        if "x-request-id" not in response.headers:
            response.headers["x-request-id"] = f"req_{parts.entropy.uuid().hex}"
        return response

    return app
