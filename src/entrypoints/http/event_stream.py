from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator

from quart import Request, Response

from ...application.calls.paid_stream import PaidStream
from ...domain.receipt import Receipt
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
    rest = []
    try:
        async for event in events:
            if stream.is_over:  # what is left waits for nobody, and takes one write
                rest.append(event)
            else:
                yield event
    except Exception as error:  # noqa: BLE001  (the status has been sent: only the event can tell)
        # Never a clean end without the provider's own. A fault of ours is no hang-up of the
        # client's, and is not to be taken for one by who reads the ledger.
        await stream.break_off(type(error).__name__)
        rest.append(error_event(*explained(error)))
    finally:
        await stream.aclose()
    if last := b"".join((*rest, *_told_cost(stream.receipt))):
        yield last


def _told_cost(receipt: Receipt) -> Iterator[bytes]:
    """What would be a header, had it been known then, is a comment, which is no event:
    https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream

    It comes behind everything else, `[DONE]` included, where those have left who know no comments.
    """
    if receipt.cost is not None:
        yield b": x-langroute-cost: %s\n\n" % str(receipt.cost).encode()
