"""`Idempotency-Key`: a call that is sent again is answered as the first time, and made only once.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256

import orjson
from quart import Request, Response
from quart.wrappers.response import DataBody
from werkzeug.http import parse_options_header

from ...application.calls.paid_stream import PaidStream
from ...application.gateway import Gateway
from ...application.idempotency.turn import Turn
from ...domain.errors import InvalidRequest
from ...domain.idempotency import KeptReply, RepeatableCall
from ...domain.ids import KeyId
from .bearer import credential_of
from .bodies import read_body
from .connection import close_in_the_end, take_stream
from .front import Front, Handler
from .recording import Recording

HEADER = "idempotency-key"
_REPLAYED = "idempotent-replayed"
_FINISH_S = 5.0
# Of a request's headers, those that change what is asked for.
_MEANT = ("anthropic-beta", "x-langroute-")
_FORM = "multipart/form-data"


class Once:
    """Wraps handlers. What a caller has named is done to its end, even where the caller hangs up:
    it will come back for it."""

    def __init__(self, app: Front, gateway: Gateway) -> None:
        self._app = app
        self._gateway = gateway
        self._running: set[asyncio.Task[None]] = set()
        app.after_serving(self._finish)

    def __call__(self, handler: Handler) -> Handler:
        async def handle(request: Request) -> Response:
            name = request.headers.get(HEADER)
            if name is None:
                return await handler(request)
            key = await self._gateway.authorize(credential_of(request))
            call = await _call(request, key.id, name)
            found = await self._gateway.answer_once(call)
            if isinstance(found, KeptReply):
                return _again(found)
            return await self._begun(handler, request, found)

        return handle

    async def _begun(self, handler: Handler, request: Request, turn: Turn) -> Response:
        first = _First(request, turn)
        # Of its own, so that a hang-up, which cancels this one, does not end it.
        task = asyncio.create_task(self._answer(handler, first))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(first.response)
        except asyncio.CancelledError:
            await first.recording.aclose()
            raise

    async def _answer(self, handler: Handler, first: "_First") -> None:
        request, turn = first.request, first.turn
        try:
            async with turn.held():
                try:
                    response = await handler(request)
                except Exception as error:  # noqa: BLE001  (told in the shape that is expected)
                    response = await self._app.refusal(request, error)
                if isinstance(response.response, DataBody):
                    first.response.set_result(response)
                    await turn.keep(_kept(response, response.response.data))
                else:
                    await _record(response, first)
        finally:
            first.response.cancel()  # which does nothing to one that is there

    async def _finish(self) -> None:
        """When the server stops: what nobody waits for any more has a moment left."""
        if self._running:
            _, late = await asyncio.wait(self._running, timeout=_FINISH_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)


class _First:
    """The first call of its name. Its caller gets the `response`, if it has stayed for it."""

    def __init__(self, request: Request, turn: Turn) -> None:
        self.request = request
        self.turn = turn
        self.recording = Recording(turn.largest)
        self.response: asyncio.Future[Response] = asyncio.get_running_loop().create_future()


async def _record(response: Response, first: _First) -> None:
    """Passes a stream on, and keeps it if it came to its own end."""
    stream, recording = take_stream(first.request), first.recording
    close_in_the_end(first.request, recording)
    passed_on = Response(recording.read(), response.status_code)
    passed_on.headers = response.headers
    first.response.set_result(passed_on)
    try:
        async with response.response as pieces:
            async for piece in pieces:
                await recording.write(piece)
                if not recording.is_wanted:
                    return
        recording.end()
        if isinstance(stream, PaidStream) and stream.is_complete and not recording.is_lost:
            await first.turn.keep(_kept(response, recording.whole(), streamed=True))
    finally:
        recording.end()
        if stream is not None:
            await stream.aclose()


async def _call(request: Request, key_id: KeyId, name: str) -> RepeatableCall:
    """Raises InvalidRequest for a name that cannot be one."""
    digest = sha256()
    for part in _asked(request, await read_body(request)):
        digest.update(b"%d:" % len(part))
        digest.update(part)
    try:
        return RepeatableCall(key_id=key_id, name=name, request=digest.digest())
    except ValueError as error:
        raise InvalidRequest(f"'{HEADER}': {error}.", param=HEADER) from error


def _asked(request: Request, body: bytes) -> Iterator[bytes]:
    """What has to be the same for it to be the same request: path, meaning headers, and body, but
    for how a client happened to write that down."""
    yield request.path.removeprefix("/v1").encode()
    for header, value in sorted((h.lower(), v) for h, v in request.headers.items()):
        if header.startswith(_MEANT):
            yield f"{header}: {value}".encode()
    kind, options = parse_options_header(request.headers.get("content-type"))
    if kind.lower() == _FORM:
        # A client draws another one with every attempt.
        boundary = options.get("boundary", "").encode()
        yield body.replace(boundary, b"") if boundary else body
        return
    try:
        yield orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        yield body


def _kept(response: Response, body: bytes, *, streamed: bool = False) -> KeptReply:
    headers = tuple(
        (name.lower(), value)
        for name, value in response.headers.items()
        if name.lower() != "content-length"
    )
    return KeptReply(
        status=response.status_code, headers=headers, body=bytes(body), streamed=streamed
    )


def _again(kept: KeptReply) -> Response:
    body = _pieces(kept.body) if kept.streamed else kept.body
    response = Response(body, kept.status)
    for name, value in kept.headers:
        response.headers[name] = value
    response.headers[_REPLAYED] = "true"
    return response


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    """Event by event, as they came."""
    start = 0
    while start < len(body):
        end = body.find(b"\n\n", start)
        end = len(body) if end < 0 else end + 2
        yield body[start:end]
        start = end
