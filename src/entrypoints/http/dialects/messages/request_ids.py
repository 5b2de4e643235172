from uuid import uuid4

import orjson
from quart import Request, Response

from ...front import Handler

_FAILED = 400


def with_request_id(handler: Handler) -> Handler:
    async def handle(request: Request) -> Response:
        return await identified(await handler(request))

    return handle


async def identified(response: Response) -> Response:
    """With the call's id where Anthropic's clients look for it: in a header of their own, and in
    the body of an error.

    https://docs.anthropic.com/en/api/errors#request-id
    """
    # A call that was refused before it was planned has none yet.
    request_id = response.headers.setdefault("x-request-id", f"req_{uuid4().hex}")
    response.headers["request-id"] = request_id
    if response.status_code >= _FAILED:
        body = orjson.loads(await response.get_data(as_text=False))
        response.set_data(orjson.dumps({**body, "request_id": request_id}))
    return response
