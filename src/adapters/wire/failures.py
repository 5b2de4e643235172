import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy

from ...domain.errors import (
    ProviderBrokeOff,
    ProviderError,
    ProviderTimedOut,
    ProviderUnreachable,
)

_Errors = type[ProviderError]

# The first row that fits: what it becomes before a byte of the answer has come, what it becomes
# afterwards, and what is said. Nothing of the foreign error's own text is: it may quote the
# request's address and headers, and the internal network's names.
_TABLE: tuple[tuple[type[BaseException], _Errors, _Errors, str], ...] = (
    (
        aiohttp.ConnectionTimeoutError,
        ProviderUnreachable,
        ProviderUnreachable,
        "took too long to reach",
    ),
    (TimeoutError, ProviderTimedOut, ProviderTimedOut, "took too long to answer"),
    (
        aiohttp.ClientConnectorDNSError,
        ProviderUnreachable,
        ProviderUnreachable,
        "has a host name that cannot be resolved",
    ),
    (
        aiohttp.ClientSSLError,
        ProviderUnreachable,
        ProviderUnreachable,
        "could not be reached securely",
    ),
    (aiohttp.ClientConnectorError, ProviderUnreachable, ProviderUnreachable, "cannot be reached"),
    (
        aiohttp.InvalidURL,
        ProviderUnreachable,
        ProviderUnreachable,
        "has an address that is not valid",
    ),
    (
        aiohttp.ClientResponseError,
        ProviderBrokeOff,
        ProviderBrokeOff,
        "sent something that is not HTTP",
    ),
    (OSError, ProviderUnreachable, ProviderBrokeOff, "closed the connection"),
    (
        aiohttp.ClientConnectionError,
        ProviderUnreachable,
        ProviderBrokeOff,
        "closed the connection",
    ),
    (aiohttp.ClientError, ProviderBrokeOff, ProviderBrokeOff, "did not finish its answer"),
)

FOREIGN = (aiohttp.ClientError, OSError)
"""What the HTTP client raises. TimeoutError is among the second."""


def translated(error: BaseException, *, provider: str, begun: bool) -> ProviderError:
    """What went wrong, in the gateway's terms; to be raised from `error`."""
    if isinstance(error, aiohttp.ClientResponseError):
        _forget_request(error)
    begun = begun or has_begun(error)
    for foreign, before, after, said in _TABLE:
        if isinstance(error, foreign):
            return (after if begun else before)(f"{provider} {said}.", provider=provider)
    return ProviderBrokeOff(f"{provider} did not finish its answer.", provider=provider)


def has_begun(error: BaseException) -> bool:
    """Whether a part of the answer came before the server hung up: the client then keeps what it
    has read of the head in place of a sentence."""
    return isinstance(error, aiohttp.ServerDisconnectedError) and not isinstance(error.message, str)


def _forget_request(error: aiohttp.ClientResponseError) -> None:
    """Its `repr` would print the request's headers, and with them the credential."""
    info = error.request_info
    error.request_info = aiohttp.RequestInfo(
        info.url.with_query(None), info.method, CIMultiDictProxy(CIMultiDict())
    )
    error.args = (error.request_info, error.history)
