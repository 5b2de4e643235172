"""Fields of Google's own, which its format takes in two spellings: `topK` and `top_k`."""

from collections.abc import Mapping
from typing import Any


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in rest)


def camel_keys(value: object) -> dict[str, Any]:
    """An object's fields in one spelling; nothing of what is no object."""
    if not isinstance(value, Mapping):
        return {}
    return {camel(str(name)): inner for name, inner in value.items() if inner is not None}
