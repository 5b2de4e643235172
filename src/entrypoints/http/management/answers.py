from collections.abc import Sequence
from uuid import UUID

import orjson
from quart import Response, request

from ....domain.errors import InvalidRequest
from ....domain.ids import KeyId
from ...times import to_ns
from ..bodies import checked
from .bodies import MomentBody


def as_json(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status=status, content_type="application/json")


def as_list(data: Sequence[object]) -> Response:
    return as_json({"object": "list", "data": data})


def key_id(text: str, param: str = "id") -> KeyId:
    try:
        return KeyId(UUID(text))
    except ValueError as error:
        raise InvalidRequest("A key is named by its id, which is a UUID.", param=param) from error


def count_arg(name: str, default: int) -> int:
    text = request.args.get(name)
    if text is None:
        return default
    if not text.isdecimal() or not int(text):
        raise InvalidRequest(f"'{name}' must be a whole number of at least 1.", param=name)
    return int(text)


def moment_arg(name: str) -> int | None:
    text = request.args.get(name)
    if text is None:
        return None
    return to_ns(checked(MomentBody, {"moment": text}).moment)
