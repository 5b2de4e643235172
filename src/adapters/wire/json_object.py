from typing import Any

import orjson

from ...domain.nesting import is_too_deep
from .malformed import Malformed


def json_object(raw: bytes) -> dict[str, Any]:
    """Raises Malformed. An error in an array is taken out of it: that is how Google tells it to
    those who asked for a stream."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed("it is not JSON") from error
    if isinstance(value, list) and len(value) == 1:
        value = value[0] if isinstance(value[0], dict) and "error" in value[0] else value
    if not isinstance(value, dict):
        raise Malformed("it is not a JSON object")
    if is_too_deep(raw, value):
        raise Malformed("it is nested too deeply")
    return value
