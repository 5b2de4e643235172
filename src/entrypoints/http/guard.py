import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from quart import request

from ...application.ports.audit import Actors
from ...domain.errors import Forbidden, Unauthenticated
from .bearer import bearer

_HINT = 4
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagementGuard:
    """Who may administer: the holder of the admin key. In development, where there is no admin
    key, whoever is on this machine and not a web page from elsewhere. What they change is written
    down under their name."""

    admin_key: str | None = field(repr=False)
    open_in_development: bool
    actors: Actors

    async def __call__(self) -> None:
        if self.admin_key is not None:
            self._check_key(self.admin_key)
            self.actors.become(f"admin key …{self.admin_key[-_HINT:]}")
        elif self.open_in_development:
            _check_local()
            self.actors.become("development")
        else:
            raise Forbidden("Administration is off: LANGROUTE_ADMIN_KEY is not set.")

    def _check_key(self, admin_key: str) -> None:
        given = bearer(request)
        if given is None:
            raise Unauthenticated(
                "Administration wants the admin key: 'Authorization: Bearer <admin key>'."
            )
        if not hmac.compare_digest(given.encode(), admin_key.encode()):
            raise Unauthenticated("Incorrect admin key provided.")


def _check_local() -> None:
    """The Host says what the caller believes to talk to: a page that points its own name at this
    machine (DNS rebinding) gives itself away by it. A proxy in front means it is not local."""
    if _host_of(f"//{request.headers.get('Host', '')}") not in _LOOPBACK:
        raise Forbidden("In development, administration answers to localhost only.")
    origin = request.headers.get("Origin")
    if origin is not None and _host_of(origin) not in _LOOPBACK:
        raise Forbidden("In development, administration takes no calls from other web pages.")
    for name in ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Via"):
        if name in request.headers:
            raise Forbidden("In development, administration takes no calls through a proxy.")


def _host_of(url: str) -> str | None:
    try:
        return urlsplit(url).hostname
    except ValueError:
        return None
