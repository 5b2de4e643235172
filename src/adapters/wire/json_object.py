from typing import Any

import orjson

from .malformed import Malformed

# What is read here is written again for the caller, and orjson writes no deeper than 254.
_MAX_DEPTH = 200


def json_object(raw: bytes) -> dict[str, Any]:
    """Raises Malformed."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed("it is not JSON") from error
    if not isinstance(value, dict):
        raise Malformed("it is not a JSON object")
    if raw.count(b"{") + raw.count(b"[") > _MAX_DEPTH and _is_too_deep(value):
        raise Malformed("it is nested too deeply")
    return value


def _is_too_deep(value: object) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True
