"""Fields of Google's own, which its format takes in two spellings: `topK` and `top_k`."""

import re
from collections.abc import Mapping
from typing import Any

_SNAKE = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")


def camel(name: str) -> str:
    """What is in neither spelling stays as it is, and is refused: `cached__content` is not to
    become what nobody has looked for."""
    if not _SNAKE.fullmatch(name):
        return name
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def camel_keys(value: object) -> dict[str, Any]:
    """An object's fields in one spelling; nothing of what is no object."""
    if not isinstance(value, Mapping):
        return {}
    return {camel(str(name)): inner for name, inner in value.items() if inner is not None}
