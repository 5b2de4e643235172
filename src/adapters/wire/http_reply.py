import asyncio
from collections.abc import Mapping

import aiohttp

from ...domain.errors import ProviderBrokeOff, ProviderError
from .failures import FOREIGN, translated

_DRAIN_S = 0.25
# What is read piece by piece may be so many times as large as what is read at once: a stream of
# pictures, or of the probabilities of each token. Those who translate it keep what it says.
_STREAMED_TIMES = 16


class HttpReply:
    """An answer whose status has come. Owns its connection until it has been read to the end, or
    is closed. Every method but `close` raises ProviderError."""

    def __init__(
        self, response: aiohttp.ClientResponse, provider: str, idle_s: float, max_bytes: int
    ) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers
        self._response = response
        self._provider = provider
        self._idle_s = idle_s
        self._max_bytes = max_bytes
        self._left = max_bytes * _STREAMED_TIMES
        self._begun = False

    async def read_some(self) -> bytes:
        """Whatever has come since; nothing at the end."""
        try:
            data = await self._response.content.readany()
        except FOREIGN as error:
            # What came before the connection broke is still there, but is not handed out any more.
            data = self._response.content._read_nowait(-1)
            if not data:
                raise translated(error, provider=self._provider, begun=True) from error
        if not (self._begun or self._response.content.is_eof()):
            self._begun = True
            self._expect_the_rest_sooner()
        self._left -= len(data)
        if self._left < 0:
            raise self._sent_more_than(self._max_bytes * _STREAMED_TIMES)
        return data

    async def read_all(self, max_bytes: int | None = None) -> bytes:
        """And closes. Raises ProviderBrokeOff where there is more than allowed."""
        limit = min(self._max_bytes, max_bytes or self._max_bytes)
        pieces = []
        left = limit
        try:
            while left >= 0 and (data := await self.read_some()):
                left -= len(data)
                pieces.append(data)
        finally:
            self.close()
        if left < 0:
            raise self._sent_more_than(limit)
        return b"".join(pieces)

    def _sent_more_than(self, limit: int) -> ProviderBrokeOff:
        return ProviderBrokeOff(
            f"{self._provider} sent more than {limit} bytes.", provider=self._provider
        )

    async def drain(self) -> None:
        """For the little that follows the last event: read, the connection can serve another call.
        It is closed where that takes more than a moment."""
        try:
            if not self._response.content.is_eof():
                async with asyncio.timeout(_DRAIN_S):
                    while await self.read_some():
                        pass
        except (TimeoutError, ProviderError):
            pass
        finally:
            self.close()

    def close(self) -> None:
        """Hangs up, unless everything has been read. Closing again does nothing."""
        self._response.close()

    def _expect_the_rest_sooner(self) -> None:
        """From the first byte on, what counts is the time between two pieces."""
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = self._idle_s
            connection.protocol.start_timeout()
