"""Requests that are not at all what they should be: a double refuses them, as the real one does."""

from typing import Any

import orjson

UNREADABLE = (TypeError, KeyError, ValueError, AttributeError, IndexError)
"""What rules and answers stumble over there."""

MESSAGE = "The request cannot be read."


def object_of(raw: bytes) -> dict[str, Any] | None:
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return None
    return body if isinstance(body, dict) else None
