"""The fields of a caller's JSON, looked at before they are used. All raise InvalidRequest, in
OpenAI's words, naming the field by its path: `messages.0.content.1.source`."""

from collections.abc import Mapping
from typing import Any, TypeVar, cast

from .errors import InvalidRequest

Json = Mapping[str, Any]
T = TypeVar("T")
# Python takes its time to read a number of many thousands.
_DIGITS = 19

_NAMES: Mapping[type, str] = {
    str: "a string",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "an array",
    dict: "an object",
}


def missing(param: str) -> InvalidRequest:
    return InvalidRequest(f"Missing required parameter: '{param}'.", param=param)


def wrong_type(param: str, expected: str) -> InvalidRequest:
    return InvalidRequest(f"Invalid type for '{param}': expected {expected}.", param=param)


def given(holder: Json, name: str, kind: type[T], at: str = "") -> T | None:
    """None where it is left out, or null."""
    value = holder.get(name)
    return None if value is None else as_a(kind, value, path(at, name))


def required(holder: Json, name: str, kind: type[T], at: str = "") -> T:
    value = given(holder, name, kind, at)
    if value is None:
        raise missing(path(at, name))
    return value


def whole_number(holder: Json, name: str, least: int, most: int) -> int | None:
    """None where it is left out, or null."""
    number = given(holder, name, int)
    if number is not None and not least <= number <= most:
        raise InvalidRequest(f"'{name}' must be from {least} to {most}.", param=name)
    return number


def as_a(kind: type[T], value: object, at: str) -> T:
    """A whole number is a number, too."""
    if is_of((int, float) if kind is float else (kind,), value):
        return cast("T", value)
    raise wrong_type(at, _NAMES[kind])


def is_of(types: tuple[type, ...], value: object) -> bool:
    # In Python, unlike in JSON, true is an integer.
    return bool in types if isinstance(value, bool) else isinstance(value, types)


def path(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name


def count_in(value: object) -> int | None:
    """A whole number of JSON, or of a form, whose values are texts; None for whatever else."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) < _DIGITS else None
    return value if type(value) is int else None
