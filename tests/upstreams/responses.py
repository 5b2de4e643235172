import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

import orjson
from aiohttp import web

from .seen import Seen
from .turn import Turn


def json_response(
    body: Mapping[str, Any], *, status: int = 200, headers: Mapping[str, str] | None = None
) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), status=status, content_type="application/json", headers=headers
    )


async def raw_response(request: web.Request, turn: Turn) -> web.StreamResponse:
    """The bytes that a test wants sent, in its pieces."""
    content_type = turn.content_type or (
        "application/json" if isinstance(turn.raw, bytes) else "text/event-stream"
    )
    headers = {"Content-Type": content_type, **turn.headers}
    if isinstance(turn.raw, bytes):
        return web.Response(body=turn.raw, status=turn.status, headers=headers)
    response = web.StreamResponse(status=turn.status, headers=headers)
    await response.prepare(request)
    for piece in turn.raw or ():
        await response.write(piece)
        await asyncio.sleep(0)
    return response


async def event_response(
    request: web.Request, seen: Seen, turn: Turn, events: Sequence[bytes], error: bytes
) -> web.StreamResponse:
    """A stream, and what goes wrong in it."""
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", **turn.headers}
    )
    await response.prepare(request)
    for event in events:
        if seen.events_sent == turn.cut_after:
            await cut(request, seen)
        if turn.gate is not None and seen.events_sent == turn.gate_after:
            await turn.gate.wait()
        if seen.events_sent == turn.hang_after:
            await hang()
        if seen.events_sent == turn.error_after:
            await response.write(error)
            break
        await response.write(event)
        seen.events_sent += 1
        await asyncio.sleep(0)
    if turn.lingers:
        await hang()
    return response


async def half_response(request: web.Request, body: Mapping[str, Any]) -> None:
    """Promises a whole answer, and sends half of it."""
    whole = orjson.dumps(body)
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    response.content_length = len(whole)
    await response.prepare(request)
    await response.write(whole[: len(whole) // 2])


async def cut(request: web.Request, seen: Seen) -> NoReturn:
    """Sends what has been written, and closes the connection."""
    seen.was_cut = True
    assert request.transport is not None
    request.transport.close()
    await hang()


async def hang() -> NoReturn:
    """Until the server cancels the request, whose connection is gone."""
    await asyncio.Event().wait()
    raise AssertionError
