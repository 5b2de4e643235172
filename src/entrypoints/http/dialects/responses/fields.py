"""A caller's fields, of the type they should be. All raise InvalidRequest, naming the field."""

from collections.abc import Mapping
from typing import Any, TypeVar

from .....domain.errors import InvalidRequest
from .....domain.fields import missing, wrong_type

T = TypeVar("T")
_NAMES: Mapping[type, str] = {str: "a string", dict: "an object", list: "an array"}


def text(given: Mapping[str, Any], name: str, place: str = "") -> str | None:
    return _checked(given, name, place, str)


def required_text(given: Mapping[str, Any], name: str, place: str = "") -> str:
    found = text(given, name, place)
    if found is None:
        raise missing(f"{place}{name}")
    return found


def an_object(given: Mapping[str, Any], name: str, place: str = "") -> dict[str, Any] | None:
    return _checked(given, name, place, dict)


def an_array(given: Mapping[str, Any], name: str, place: str = "") -> list[Any] | None:
    return _checked(given, name, place, list)


def whole_number(given: Mapping[str, Any], name: str, least: int, most: int) -> int | None:
    number = given.get(name)
    if number is None:
        return None
    # In Python, unlike in JSON, true is an integer.
    if type(number) is not int:
        raise wrong_type(name, "a whole number")
    if not least <= number <= most:
        raise InvalidRequest(f"'{name}' must be from {least} to {most}.", param=name)
    return number


def _checked(given: Mapping[str, Any], name: str, place: str, kind: type[T]) -> T | None:
    value = given.get(name)
    if value is None or isinstance(value, kind):
        return value
    raise wrong_type(f"{place}{name}", _NAMES[kind])
