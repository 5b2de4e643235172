import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import suppress
from functools import partial
from typing import Any, Protocol, cast

from quart import Quart, Request, Response
from quart.asgi import ASGIHTTPConnection
from quart.typing import ResponseTypes
from quart.utils import encode_headers
from quart.wrappers.request import Body
from quart.wrappers.response import DataBody

from ...domain.errors import ShuttingDown
from .front import Front

IDLE_S = "LANGROUTE_IDLE_S"
"""Of the app's configuration: how long a client may take nothing of its answer, in seconds."""

GONE = "langroute.gone"
"""Of a request's scope: where our own server looks for what to call when the client is gone."""

_STREAM = "langroute.stream"
_REST_S = 2.0


class Closable(Protocol):
    async def aclose(self) -> None: ...


def close_in_the_end(request: Request, stream: Closable) -> None:
    """Quart closes a body that it has entered; a client that leaves before that would leave its
    stream open."""
    cast("dict[str, Any]", request.scope)[_STREAM] = stream


def take_stream(request: Request) -> Closable | None:
    """What would be closed in the end: whoever takes it does that."""
    return cast("Closable | None", cast("dict[str, Any]", request.scope).pop(_STREAM, None))


class ArrivingBody(Body):
    """A request's body, taken from the server by whoever waits for it: most are there already, and
    Quart's own has a task bring them."""

    arrive: Callable[[], Awaitable[None]]
    is_refused = False

    def append(self, data: bytes) -> None:
        if not self.is_refused:
            super().append(data)

    async def rest(self) -> None:
        """Of one that was answered before it was there, and is thrown away: a client that is still
        sending when its connection is closed finds no answer. Waits a moment at the most."""
        self.is_refused = True
        with suppress(TimeoutError):
            async with asyncio.timeout(_REST_S):
                await self._complete.wait()

    def __await__(self) -> Generator[Any, None, Any]:
        while not self.is_all_there:
            yield from self.arrive().__await__()
        return (yield from super().__await__())

    async def __anext__(self) -> bytes:
        if not self._data and not self.is_all_there:
            await self.arrive()
        return await super().__anext__()

    @property
    def is_all_there(self) -> bool:
        """Or as much of it as is ever wanted."""
        return self._complete.is_set() or self._must_raise is not None


class HttpRequest(Request):
    body_class = ArrivingBody
    body: ArrivingBody


class HttpConnection(ASGIHTTPConnection):
    """One request and its answer, in the task that the server made for it.

    Quart's own makes two more tasks, sends an empty piece behind each whole answer, and has one
    time-out for all of it. Here a client that hangs up cancels the handler at once, one that
    stays but takes nothing for a while is cut off, and one that is still waiting when the server
    stops is told so.
    """

    def __init__(self, app: Quart, scope: Any) -> None:
        super().__init__(app, scope)
        self._facts = cast("dict[str, Any]", scope)
        self._loop = asyncio.get_running_loop()
        self._task = cast("asyncio.Task[Any]", asyncio.current_task())
        self._patience_s: float = app.config[IDLE_S]
        self._watch = self._loop.call_later(self._patience_s, self._cut_off_if_stuck)
        self._listener: asyncio.Task[None] | None = None
        self._sending_since: float | None = None
        self._has_begun = False
        self._last_is_sent = False
        self._is_over = False
        self._is_told = GONE in scope
        if self._is_told:
            scope[GONE] = self._hung_up

    async def __call__(self, receive: Any, send: Any) -> None:
        async def send_watched(message: Any) -> None:
            self._has_begun = True
            self._sending_since = self._loop.time()
            # From within the last piece, the server says that the client is gone.
            self._last_is_sent = message.get("more_body") is False
            await send(message)
            self._sending_since = None

        request = cast("HttpRequest", self._create_request_from_scope(send))
        request.body.arrive = partial(self._arrive, request, receive)
        try:
            response = await self.app.handle_request(request)
            if not request.body.is_all_there:  # the server waits for somebody to take the rest
                self._listen(request, receive)
                await request.body.rest()
            await self._answer(response, send_watched)
        except asyncio.CancelledError:
            if not self._is_over:  # the server is stopping
                if not self._has_begun:
                    front = cast("Front", self.app)
                    await self._answer(await front.refusal(request, ShuttingDown()), send)
                raise
            self._task.uncancel()
        finally:
            # What holds one another stays until the collector comes, which makes it dear.
            del request.body.arrive
            await self._clean_up()

    async def _clean_up(self) -> None:
        self._facts[GONE] = None
        self._watch.cancel()
        if self._listener is not None:
            self._listener.cancel()
            self._listener = None
        stream = self._facts.get(_STREAM)
        if stream is not None:
            await stream.aclose()

    async def _arrive(self, request: HttpRequest, receive: Any) -> None:
        """The next piece of the body."""
        message = await receive()
        if message["type"] == "http.disconnect":
            self._end()
            await asyncio.sleep(0)
        request.body.append(message["body"])
        if not message["more_body"]:
            request.body.set_complete()
            if not self._is_told:
                self._listen(request, receive)

    async def _answer(self, response: ResponseTypes, send: Any) -> None:
        body = response.response if isinstance(response, Response) else None
        if not isinstance(body, DataBody):
            await self._send_response(send, response)
            return
        headers = encode_headers(response.headers)
        await send(
            {"type": "http.response.start", "status": response.status_code, "headers": headers}
        )
        await send({"type": "http.response.body", "body": body.data, "more_body": False})

    def _listen(self, request: HttpRequest, receive: Any) -> None:
        """For the hang-up, from when the body is there until the answer has been sent: a task,
        which only servers need that do not tell by themselves."""
        self._listener = self._loop.create_task(self.handle_messages(request, receive))
        self._listener.add_done_callback(self._hung_up)

    def _hung_up(self, listener: "asyncio.Task[None] | None" = None) -> None:
        if not self._last_is_sent and not (listener and listener.cancelled()):
            self._end()

    def _cut_off_if_stuck(self) -> None:
        """A timer for each answer, not for each piece of it: it looks at the piece that is being
        sent when it fires, and comes back for that."""
        now = self._loop.time()
        since = now if self._sending_since is None else self._sending_since
        if now - since >= self._patience_s:
            self._end()
        else:
            self._watch = self._loop.call_at(since + self._patience_s, self._cut_off_if_stuck)

    def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._task.cancel()
