"""What an operation's fields must be: https://platform.openai.com/docs/api-reference. Fields that
are not named here are left to the provider."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from .errors import InvalidRequest
from .fields import count_in, is_of, missing, wrong_type

_TEXT = ((str,), "a string")
_COUNT = ((int,), "a whole number")
_NUMBER = ((int, float), "a number")
_FLAG = ((bool,), "true or false")
_TYPES: Mapping[str, tuple[tuple[type, ...], str]] = {
    "dimensions": _COUNT,
    "encoding_format": _TEXT,
    "n": _COUNT,
    "prompt": _TEXT,
    "speed": _NUMBER,
    "stream": _FLAG,
    "stream_format": _TEXT,
    "user": _TEXT,
}
_ENCODINGS = ("float", "base64")
# What can come in pieces, and the field that asks for them.
_STREAMED_BY: Mapping[str, str] = {
    "images/generations": "stream",
    "images/edits": "stream",
    "audio/speech": "stream_format",
    "audio/transcriptions": "stream",
}
_FORM_FLAGS: Mapping[object, bool] = {"true": True, "1": True, "false": False, "0": False}

# Of a form: the files, of which one must be there, and what may stand in for them.
_FILES: Mapping[str, tuple[str, ...]] = {
    "images/edits": ("image", "image[]"),
    "images/variations": ("image", "image[]"),
    "audio/transcriptions": ("file",),
    "audio/translations": ("file",),
}
# Mistral's transcriptions take a recording by its address, too.
_REFERENCES: Mapping[str, tuple[str, ...]] = {"audio/transcriptions": ("file_url", "file_id")}


def check_fields(operation: str, body: Mapping[str, Any]) -> None:
    """Of a JSON body. Raises InvalidRequest, naming the field."""
    for name, value in body.items():
        known = _TYPES.get(name)
        if known is None or value is None:
            continue
        if not is_of(known[0], value):
            raise wrong_type(name, known[1])
        if known is _COUNT and value < 1:
            raise InvalidRequest(f"'{name}' must be at least 1.", param=name)
    for name, check in _REQUIRED.get(operation, {}).items():
        if body.get(name) is None:
            raise missing(name)
        check(name, body[name])
    encoding = body.get("encoding_format")
    if operation == "embeddings" and encoding is not None and encoding not in _ENCODINGS:
        allowed = " or ".join(f"'{one}'" for one in _ENCODINGS)
        raise InvalidRequest(f"'encoding_format' must be {allowed}.", param="encoding_format")


def check_names(operation: str, fields: Mapping[str, Any], files: AbstractSet[str]) -> None:
    """Of a form, whose values are all texts. Raises InvalidRequest, naming the field: also a number
    that others may read as another one, such as " 10", or as the last of several."""
    for name, value in fields.items():
        if _TYPES.get(name) is _COUNT and not count_in(value):
            raise wrong_type(name, "a whole number of at least 1")
    names = _FILES[operation]
    if not files.isdisjoint(names) or not fields.keys().isdisjoint(_REFERENCES.get(operation, ())):
        return
    if names[0] in fields:
        raise wrong_type(names[0], "a file")
    raise missing(names[0])


def asks_for_events(operation: str, body: Mapping[str, Any]) -> bool:
    """Of a JSON body or a form. Raises InvalidRequest, naming the field, where there are none."""
    asked = {"stream": _flag(body), "stream_format": body.get("stream_format") == "sse"}
    known = _STREAMED_BY.get(operation)
    for name, is_asked in asked.items():
        if is_asked and name != known:
            raise InvalidRequest(f"'{operation}' cannot be streamed by '{name}'.", param=name)
    return any(asked.values())


def _flag(body: Mapping[str, Any]) -> bool:
    given = body.get("stream")
    if given is None or isinstance(given, bool):
        return bool(given)
    flag = _FORM_FLAGS.get(given.lower()) if isinstance(given, str) else None
    if flag is None:
        raise wrong_type("stream", "true or false")
    return flag


def _text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise wrong_type(name, "a string")


def _embeddable(name: str, value: object) -> None:
    """A text, texts, the ids of tokens, or lists of them."""
    if isinstance(value, str):
        return
    items = _filled_list(name, value)
    kinds = set(map(type, items))
    if kinds == {str} or _are_tokens(items):
        return
    if kinds != {list}:
        first = type(items[0])
        odd = next((n for n, item in enumerate(items) if type(item) is not first), 0)
        raise wrong_type(f"{name}.{odd}", "as all others, a string or an array of tokens' numbers")
    for index, item in enumerate(items):
        if not _are_tokens(item):
            raise wrong_type(f"{name}.{index}", "an array of tokens' numbers")


def _filled_list(name: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise wrong_type(name, "a string or an array")
    if not value:
        raise InvalidRequest(f"'{name}' must hold at least one text.", param=name)
    return value


def _are_tokens(items: list[Any]) -> bool:
    """Looks at each of what may be a million in C."""
    return set(map(type, items)) == {int} and min(items) >= 0


def _moderable(name: str, value: object) -> None:
    """A text, texts, or the parts of a message."""
    if isinstance(value, str):
        return
    for index, item in enumerate(_filled_list(name, value)):
        if not isinstance(item, str | dict):
            raise wrong_type(f"{name}.{index}", "a string or an object")


# By operation, what cannot be left out of a JSON body.
_REQUIRED: Mapping[str, Mapping[str, Callable[[str, object], None]]] = {
    "embeddings": {"input": _embeddable},
    "moderations": {"input": _moderable},
    "images/generations": {"prompt": _text},
    "images/edits": {"prompt": _text},
    "audio/speech": {"input": _text},
}
