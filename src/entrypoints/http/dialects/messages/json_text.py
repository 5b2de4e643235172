from typing import Any

import orjson

from .....domain.errors import InvalidRequest
from .....domain.nesting import is_too_deep


def written(value: object, at: str) -> str:
    """Raises InvalidRequest for what an embedder may have given, and JSON cannot hold."""
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        raise InvalidRequest(f"'{at}' cannot be written as JSON: {error}.", param=at) from error


def tool_input(arguments: object) -> dict[str, Any]:
    """What a tool is called with. A model may write no JSON at all, or none that is an object:
    then nothing, so that the tool itself can say what it misses."""
    if isinstance(arguments, dict):
        return arguments
    if not isinstance(arguments, str):
        return {}
    try:
        raw = arguments.encode()
        value = orjson.loads(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) and not is_too_deep(raw, value) else {}
