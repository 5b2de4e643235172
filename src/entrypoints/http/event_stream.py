from collections.abc import AsyncGenerator, AsyncIterator, Callable

from quart import Request, Response

from ...application.calls.paid_stream import PaidStream
from .connection import close_in_the_end
from .errors import Answer, explained
from .headers import receipt_headers

_SSE = "text/event-stream; charset=utf-8"


def event_stream(
    request: Request,
    stream: PaidStream,
    events: AsyncIterator[bytes],
    error_event: Callable[[str, Answer], bytes],
) -> Response:
    """`events` are what is sent of the stream, in its format; `error_event` tells in the same that
    it has broken off."""
    close_in_the_end(request, stream)
    response = Response(_sent(stream, events, error_event), content_type=_SSE)
    response.headers.update(receipt_headers(stream.receipt))
    response.headers["cache-control"] = "no-cache"
    response.headers["x-accel-buffering"] = "no"
    return response


async def _sent(
    stream: PaidStream,
    events: AsyncIterator[bytes],
    error_event: Callable[[str, Answer], bytes],
) -> AsyncGenerator[bytes, None]:
    try:
        async for event in events:
            yield event
    except Exception as error:  # noqa: BLE001  (the status has been sent: only the event can tell)
        # Never a clean end without the provider's own. A fault of ours is no hang-up of the
        # client's, and is not to be taken for one by who reads the ledger.
        await stream.break_off(type(error).__name__)
        message, answer = explained(error)
        yield error_event(message, answer)
    finally:
        await stream.aclose()
