from collections.abc import Iterator
from typing import Any

import orjson
from quart import Request
from quart import request as current_request
from werkzeug.exceptions import RequestEntityTooLarge, RequestTimeout

from ...application.time_limit import TimeLimit
from ...domain.errors import InvalidRequest, RequestTooLarge
from ...domain.nesting import MAX_DEPTH, MAX_VALUES, has_too_many, is_too_deep
from ..checked import ModelT, checked

_arriving = TimeLimit(60.0)


async def read_body(request: Request) -> bytes:
    """All of it. Raises RequestTooLarge."""
    try:
        with _arriving():
            raw: bytes = await request.body
            return raw
    except TimeoutError as error:
        raise RequestTimeout from error
    except RequestEntityTooLarge as error:
        raise RequestTooLarge(request.max_content_length or 0) from error


async def read_json(request: Request, *, empty_is: Any = None) -> Any:
    """The request's body. `empty_is` stands for one of no bytes at all. Raises InvalidRequest."""
    raw = await read_body(request)
    if not raw and empty_is is not None:
        return empty_is
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise InvalidRequest(f"The request body is not valid JSON: {error}.") from error
    if has_too_many(raw, body):
        raise InvalidRequest(f"The request body holds more than {MAX_VALUES} values.")
    if is_too_deep(raw, body):
        raise InvalidRequest(f"The request body is nested more than {MAX_DEPTH} levels deep.")
    return body


async def read(model: type[ModelT], *, empty_is: Any = None) -> ModelT:
    """The body of Quart's current request as a checked value, to be kept in Postgres, whose texts
    hold no NUL. Raises InvalidRequest, naming the field."""
    given = await read_json(current_request, empty_is=empty_is)
    for path in _with_nul(given, ()):
        param = ".".join(path)
        raise InvalidRequest(f"'{param}' holds a NUL character.", param=param)
    return checked(model, given)


def _with_nul(given: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Where a text holds one. No deeper than `read_json` allows."""
    if isinstance(given, str):
        if "\0" in given:
            yield path
    elif isinstance(given, list):
        for index, item in enumerate(given):
            yield from _with_nul(item, (*path, str(index)))
    elif isinstance(given, dict):
        for name, item in given.items():
            yield from _with_nul(item, (*path, name))
