from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from quart import Quart
from quart.sessions import SecureCookieSession, SecureCookieSessionInterface

from ...application.gateway import Gateway
from ...application.ports.clock import Clock
from ...application.ports.entropy import Entropy
from .connection import IDLE_S, HttpConnection, HttpRequest
from .dialects.messages.paths import add_messages
from .front import Front
from .guard import ManagementGuard
from .health import health_blueprint
from .idempotency import Once
from .management.blueprint import management_blueprint
from .models import add_models
from .openai import add_openai
from .own_usage import add_own_usage
from .quotes import add_quotes


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
    app = Front(parts.entropy, parts.max_body_bytes)
    # Quart's own time-out makes a task for each request; `read_json` has a timer instead.
    app.config["BODY_TIMEOUT"] = None
    app.config[IDLE_S] = parts.idle_s
    app.asgi_http_class = HttpConnection
    app.request_class = HttpRequest
    app.session_interface = _NoSessions()
    once = Once(app, parts.gateway)
    add_openai(app, parts.gateway, once)
    add_messages(app, parts.gateway, once)
    add_models(app, parts.gateway)
    add_own_usage(app, parts.gateway)
    add_quotes(app, parts.gateway)
    app.register_blueprint(management_blueprint(parts.gateway, parts.clock, parts.guard))
    app.register_blueprint(health_blueprint(parts.is_ready))
    return app
