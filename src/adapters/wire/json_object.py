from typing import Any

import orjson

from ...domain.nesting import is_too_deep
from .malformed import Malformed


def json_object(raw: bytes) -> dict[str, Any]:
    """Raises Malformed."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed("it is not JSON") from error
    if not isinstance(value, dict):
        raise Malformed("it is not a JSON object")
    if is_too_deep(raw, value):
        raise Malformed("it is nested too deeply")
    return value
