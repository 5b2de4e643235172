import re
from contextlib import suppress
from itertools import chain
from typing import Any, cast

import h11
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol import ProtocolWrapper
from hypercorn.protocol.events import Request, Response, StreamClosed
from hypercorn.protocol.h11 import STREAM_ID, H11Protocol
from hypercorn.protocol.http_stream import HTTPStream

from ...application.alarm import Alarm
from .connection import GONE

_WRITTEN_AT_ONCE = 64 * 2**10
_FIRST_WORDS_S = 1.0
# A client that takes nothing of what is still to be sent would keep its connection for ever.
_LAST_WORDS_S = 30.0
_FINAL = 200
_ENDS_A_HEADER = re.compile(rb"[\0\r\n]")


class TcpConnection(TCPServer):
    """One connection.

    Hypercorn's own makes and cancels two tasks around each request, to end the connection when it
    idles, and writes the head of an answer, its body, and every piece of a stream apart. Here
    there is a timer, and what one step of the event loop sends is written together: a third of
    what a stream costs.
    """

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        self.idle_task = cast("Any", _NoTask)
        self._is_running = False
        self._has_asked = False
        self._unwritten: list[bytes] = []
        self._unwritten_bytes = 0
        self._idling = Alarm(self.config.keep_alive_timeout, self._close_idle)
        self._idling.set()

    async def protocol_send(self, event: Event) -> None:
        if isinstance(event, RawData):
            await self._send(event.data)
        elif isinstance(event, Updated):
            self._has_asked = True
            self._idling.stop()
            if event.idle:
                self._idling.set()
        elif isinstance(event, Closed):
            await self._close()

    def close_soon(self) -> None:
        """At once if it idles; but a client that has just connected may speak, and is answered."""
        if self._has_asked:
            self.close_if_idle()
        else:
            self.loop.call_later(_FIRST_WORDS_S, self.close_if_idle)

    def close_if_idle(self) -> None:
        if self._idling.is_set:
            self._idling.stop()
            self._close_idle()

    def _close_idle(self) -> None:
        if self._is_running:
            self._task_group.spawn(self._initiate_server_close)
        else:  # accepted in the moment of stopping
            self.writer.close()

    async def _read_data(self) -> None:
        self._is_running = True
        if isinstance(self.protocol.protocol, H11Protocol):
            self.protocol.protocol = _Http1.instead_of(self.protocol)
        await super()._read_data()

    async def _send(self, data: bytes) -> None:
        if not data:
            return
        if not self._unwritten:
            self.loop.call_soon(self._write)
        self._unwritten.append(data)
        self._unwritten_bytes += len(data)
        if self._unwritten_bytes >= _WRITTEN_AT_ONCE:
            self._write()
        try:
            await self.writer.drain()
        except (ConnectionError, RuntimeError):
            await self.protocol.handle(Closed())

    def _write(self) -> None:
        if self._unwritten:
            with suppress(RuntimeError):  # uvloop's, once the client has closed it
                self.writer.write(b"".join(self._unwritten))
            self._unwritten.clear()
            self._unwritten_bytes = 0

    async def _close(self) -> None:
        self._idling.discard()
        self._write()
        cut_off = self.loop.call_later(_LAST_WORDS_S, self.writer.transport.abort)
        try:
            await super()._close()
        finally:
            cut_off.cancel()


class _Http1(H11Protocol):
    """Hypercorn's own goes through a request's headers twice, to see whether they ask for another
    protocol, by h11's slow way of iterating. Of those, only HTTP/2 is spoken here. And of an
    answer's, h11 looks at each name and each value apart; here at all of them at once."""

    @classmethod
    def instead_of(cls, outer: ProtocolWrapper) -> "_Http1":
        return cls(
            outer.app,
            outer.config,
            outer.context,
            outer.task_group,
            outer.state,
            outer.ssl,
            outer.client,
            outer.server,
            outer.send,
        )

    async def _check_protocol(self, event: Any) -> None:
        named = {name.lower() for name, _ in event.headers.raw_items()}
        if b"upgrade" in named or event.method == b"PRI":
            await super()._check_protocol(event)

    async def stream_send(self, event: Any) -> None:
        if not isinstance(event, Response) or event.status_code < _FINAL:
            await super().stream_send(event)
            return
        headers = [*event.headers, *self.config.response_headers("h11")]
        if self.keep_alive_requests >= self.config.keep_alive_max_requests:
            headers.append((b"connection", b"close"))
        if _ENDS_A_HEADER.search(b"".join(chain.from_iterable(headers))):
            raise h11.LocalProtocolError("a header that would end before its end")
        head = h11.Response(
            headers=headers,
            status_code=event.status_code,
            http_version=b"1.1",
            reason=b"",
            _parsed=True,
        )
        await self._send_h11_event(head)

    async def _create_stream(self, request: Any) -> None:
        self.stream = stream = _Stream(
            self.app,
            self.config,
            self.context,
            self.task_group,
            self.ssl,
            self.client,
            self.server,
            self.stream_send,
            STREAM_ID,
        )
        await stream.handle(
            Request(
                stream_id=STREAM_ID,
                headers=request.headers.raw_items(),
                http_version=request.http_version.decode(),
                method=request.method.decode("ascii").upper(),
                raw_path=request.target,
                state=self.connection_state,
            )
        )
        stream.scope[GONE] = None
        self.keep_alive_requests += 1


class _Stream(HTTPStream):
    """Tells at once that the client is gone; a message in the queue has to be waited for, by a task
    of its own."""

    scope: Any

    async def handle(self, event: Any) -> None:
        if isinstance(event, StreamClosed) and (gone := self.scope.get(GONE)):
            gone()
        await super().handle(event)


class _NoTask:
    """In place of the one that Hypercorn restarts around each request."""

    @staticmethod
    async def restart(*_: Any) -> None: ...

    @staticmethod
    async def stop() -> None: ...
