"""The one HTTP client. What it raises is the gateway's own: see failures.py."""

import io
import socket
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from ...domain.timeouts import Timeouts
from .failures import FOREIGN, has_begun, translated
from .http_reply import HttpReply

_MEGABYTE = 2**20
_KEEPALIVE_S = 30.0
_DNS_TTL_S = 30

# Collects the sockets that a call makes; one that has made none has been given a used connection.
_sockets_made: ContextVar[list[None]] = ContextVar("sockets_made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where to send what, and as whom. Made once for each provider and credential."""

    provider: str
    url: URL
    headers: Mapping[str, str] = field(repr=False)


class HttpClient:
    """Pooled connections to every provider. Close it in the event loop that used it.

    Redirects are not followed: they would carry the credential elsewhere. No cookies are kept:
    they would tie one tenant's calls to another's.
    """

    def __init__(
        self, *, max_connections: int = 1000, max_reply_bytes: int = 64 * _MEGABYTE
    ) -> None:
        self._max_connections = max_connections
        self._max_reply_bytes = max_reply_bytes
        self._pooled: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None
        self._closed = False

    async def aclose(self) -> None:
        """Hangs up everywhere. Closing again does nothing; calling afterwards is a mistake."""
        self._closed = True
        for session in (self._pooled, self._fresh):
            if session is not None:
                await session.close()
        self._pooled = self._fresh = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def post(self, address: Address, body: bytes, timeouts: Timeouts) -> HttpReply:
        """Returns once the status is there. Raises ProviderError.

        A used connection may have been closed by the server in the very moment of being used
        again; such a call is made once more, on a fresh one, if not a byte has come back.
        """
        if self._pooled is None:
            self._pooled = self._session(keepalive_timeout=_KEEPALIVE_S)
        made: list[None] = []
        _sockets_made.set(made)
        try:
            try:
                response = await _send(self._pooled, address, body, timeouts)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError) as error:
                if made or has_begun(error) or isinstance(error, aiohttp.ClientConnectorError):
                    raise
                if self._fresh is None:
                    self._fresh = self._session(force_close=True)
                response = await _send(self._fresh, address, body, timeouts)
        except FOREIGN as error:
            raise translated(error, provider=address.provider, begun=False) from error
        return HttpReply(response, address.provider, timeouts.idle_s, self._max_reply_bytes)

    def _session(self, **pooling: Any) -> aiohttp.ClientSession:
        """Made when it is first needed, since it belongs to the event loop that runs then."""
        if self._closed:
            raise RuntimeError("the HTTP client is closed")
        connector = aiohttp.TCPConnector(
            limit=self._max_connections,
            ttl_dns_cache=_DNS_TTL_S,
            socket_factory=_make_socket,
            **pooling,
        )
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            # Answers are small, and compressing an event stream delays it.
            headers={"Accept-Encoding": "identity", "User-Agent": "langroute"},
        )


async def _send(
    session: aiohttp.ClientSession, address: Address, body: bytes, timeouts: Timeouts
) -> aiohttp.ClientResponse:
    return await session.post(
        address.url,
        # aiohttp warns of large bytes, which it would write in one go.
        data=body if len(body) <= _MEGABYTE else io.BytesIO(body),
        headers=address.headers,
        timeout=_limits(timeouts),
        allow_redirects=False,
    )


@lru_cache(maxsize=16)
def _limits(timeouts: Timeouts) -> aiohttp.ClientTimeout:
    """The whole call's limit is kept by the application, over all of its attempts."""
    return aiohttp.ClientTimeout(
        total=None, connect=timeouts.connect_s, sock_read=timeouts.first_byte_s
    )


def _make_socket(address: Any) -> socket.socket:
    _sockets_made.get().append(None)
    family, kind, protocol, _, _ = address
    return socket.socket(family=family, type=kind, proto=protocol)
