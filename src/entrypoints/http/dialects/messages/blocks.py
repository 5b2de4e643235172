from typing import Any

from .....domain.fields import Json, as_a, missing, path, required, wrong_type


def blocks(holder: Json, name: str, at: str = "") -> list[tuple[dict[str, Any], str]]:
    """The blocks of a content, each with its path; a text is one block. Each has a type. Raises
    InvalidRequest, naming the field."""
    where, content = path(at, name), holder.get(name)
    if isinstance(content, str):
        return [({"type": "text", "text": content}, where)]
    if content is None:
        raise missing(where)
    if not isinstance(content, list):
        raise wrong_type(where, "a string or an array of blocks")
    found = []
    for index, item in enumerate(content):
        place = f"{where}.{index}"
        block = as_a(dict, item, place)
        required(block, "type", str, place)
        found.append((block, place))
    return found
