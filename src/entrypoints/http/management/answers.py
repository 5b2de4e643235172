from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import orjson
from quart import Response, request

from ....domain.errors import InvalidRequest
from ....domain.fields import count_in
from ....domain.ids import KeyId, RequestId
from ...times import to_ns


def as_json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status=status, content_type="application/json")


def as_list(data: Sequence[object]) -> Response:
    return as_json({"object": "list", "data": data})


def key_id(text: str, param: str = "id") -> KeyId:
    try:
        return KeyId(UUID(text))
    except ValueError as error:
        raise InvalidRequest("A key is named by its id, which is a UUID.", param=param) from error


def request_id(text: str) -> RequestId:
    try:
        return RequestId(UUID(text.removeprefix("req_")))
    except ValueError as error:
        raise InvalidRequest(
            "A call is named by the `x-request-id` of its answer.", param="id"
        ) from error


def check_args(*known: str) -> None:
    """A filter that is mistyped must not be taken for none."""
    for name in request.args:
        if name not in known:
            told = f"is none of {', '.join(known)}" if known else "means nothing here"
            raise InvalidRequest(f"'{name}' {told}.", param=name)


async def check_names() -> None:
    """Of the path and of its arguments: nothing has a NUL in its name, nor can Postgres be asked
    for it."""
    for param, text in (*(request.view_args or {}).items(), *request.args.items(multi=True)):
        if "\0" in text:
            raise InvalidRequest(f"'{param}' holds a NUL character.", param=param)


def count_arg(name: str, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    count = count_in(text)
    if not count:
        raise InvalidRequest(f"'{name}' must be a whole number of at least 1.", param=name)
    return count


def moment_arg(name: str) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    try:
        return to_ns(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise InvalidRequest(
            f"'{name}' must be a moment such as 2026-01-31T12:00:00Z.", param=name
        ) from error


@contextmanager
def fields_named(names: Mapping[str, str]) -> Iterator[None]:
    """What the use case calls a provider is a field of another name in the request."""
    try:
        yield
    except InvalidRequest as error:
        raise InvalidRequest(str(error), param=names.get(error.param or "", error.param)) from error
