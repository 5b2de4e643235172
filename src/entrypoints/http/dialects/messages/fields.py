"""What a caller's JSON holds, looked at before it is used. Each raises InvalidRequest, naming the
field by its path, as Anthropic does: `messages.0.content.1.source`."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from .....domain.fields import missing, wrong_type

Json = Mapping[str, Any]
T = TypeVar("T")

_NAMES: dict[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "an object",
}


def given(holder: Json, name: str, kind: type[T], at: str = "") -> T | None:
    """None where it is left out, or null. A whole number is a number, too."""
    value = holder.get(name)
    if value is None:
        return None
    return as_a(kind, value, path(at, name))


def required(holder: Json, name: str, kind: type[T], at: str = "") -> T:
    value = given(holder, name, kind, at)
    if value is None:
        where = path(at, name)
        raise missing(where)
    return value


def as_a(kind: type[T], value: object, at: str) -> T:
    # In Python, unlike in JSON, true is an integer.
    fits = isinstance(value, (int, float) if kind is float else kind)
    if fits and (kind is bool or not isinstance(value, bool)):
        return cast("T", value)
    raise wrong_type(at, _NAMES[kind])


def blocks(holder: Json, name: str, at: str = "") -> list[tuple[dict[str, Any], str]]:
    """The blocks of a content, each with its path; a text is one block. Each has a type."""
    where, content = path(at, name), holder.get(name)
    if isinstance(content, str):
        return [({"type": "text", "text": content}, where)]
    if not isinstance(content, list):
        if content is None:
            raise missing(where)
        raise wrong_type(where, "a string or an array of blocks")
    found = []
    for index, item in enumerate(content):
        place = f"{where}.{index}"
        block = as_a(dict, item, place)
        required(block, "type", str, place)
        found.append((block, place))
    return found


def path(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
