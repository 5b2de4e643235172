"""What a model needs back to go on thinking where it left off.

A chat carries it in fields that its provider's codec reads: signed thoughts in `thinking_blocks`,
signatures of calls and text in `extra_content`. A response has an opaque place for the thoughts,
`encrypted_content`; what else there is stays under its name on its item.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from operator import is_
from typing import Any

import orjson

from .....domain.nesting import is_too_deep

EXTRA = "extra_content"
# Not encrypted: signed by who made it, and nothing that the caller may not see.
_MARK = "langroute:"


def wrapped(thoughts: list[dict[str, Any]]) -> str:
    return _MARK + b64encode(orjson.dumps(thoughts)).decode()


def is_wrapped(content: object) -> bool:
    """Whether it was made here: nobody else can read it."""
    return isinstance(content, str) and content.startswith(_MARK)


def unwrapped(content: str) -> list[dict[str, Any]]:
    """Nothing where somebody has changed it."""
    try:
        raw = b64decode(content.removeprefix(_MARK), validate=True)
        found = orjson.loads(raw)
    except ValueError:
        return []
    if not isinstance(found, list) or is_too_deep(raw, found):
        return []
    return [thought for thought in found if isinstance(thought, dict)]


def extra_of(holder: Mapping[str, Any]) -> dict[str, Any]:
    """To be merged into what carries it on."""
    extra = holder.get(EXTRA)
    return {EXTRA: extra} if isinstance(extra, dict) and extra else {}


def merged(before: Any, more: Any) -> Any:
    """Of a stream's deltas, all that was told."""
    if isinstance(before, dict) and isinstance(more, dict):
        same = {name: merged(before[name], more[name]) for name in before.keys() & more.keys()}
        return {**before, **more, **same}
    if isinstance(before, list) and isinstance(more, list):
        return [*before, *more]
    return more


def without_keepsakes(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """A request as a provider can take it that speaks the dialect, where another one began the
    conversation: it cannot read these thoughts, and knows no such fields."""
    items = body.get("input")
    if not isinstance(items, list):
        return body
    kept = [_without_extra(item) for item in items if not _is_own_thought(item)]
    is_as_it_was = len(kept) == len(items) and all(map(is_, kept, items))
    return body if is_as_it_was else {**body, "input": kept}


def _without_extra(item: Any) -> Any:
    if not isinstance(item, dict) or EXTRA not in item:
        return item
    return {name: value for name, value in item.items() if name != EXTRA}


def _is_own_thought(item: object) -> bool:
    return (
        isinstance(item, dict)
        and item.get("type") == "reasoning"
        and is_wrapped(item.get("encrypted_content"))
    )
