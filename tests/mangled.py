"""JSON that was in order, mangled: fields are lost, or become something else, or far too much."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from hypothesis import strategies as st

# What no Python value is written as: put into the JSON's text in the place of a name.
_RAW = {
    "@nan@": b"NaN",
    "@infinite@": b"1e999",
    "@huge@": b"9" * 400,
    "@surrogate@": b'"\\ud800"',
    "@pair@": b'"\\ud83d\\ude00"',
    "@nul@": b'"a\\u0000b"',
    "@bytes@": b'"\xff\xfe"',
    "@deep@": b"[" * 190 + b"]" * 190,
    "@too deep@": b'{"a":' * 300 + b"1" + b"}" * 300,
}
_WORDS = ("", "text", "user", "tool", "system", "error", "null", "auto", "\u2028", "é😀", "x" * 70)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63, 2**64 - 1, -(2**63), 0.5, -0.0, 1e308])
    | st.sampled_from(_WORDS)
    | st.sampled_from(sorted(_RAW))
)
_NAMES = ("type", "text", "content", "role", "id", "index", "name", "function", "message", "error")
_JUNK = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(_NAMES), inner),
    max_leaves=5,
)
_DEEDS = ("replace", "delete", "repeat", "in a list", "in an object", "rename", "add", "move")


@dataclass(frozen=True, slots=True)
class Mangle:
    """One deed, done to a node that is found by its number, whatever is there."""

    deed: str
    node: int
    other: int
    junk: Any

    def __call__(self, value: Any) -> Any:
        box = [value]
        places = list(_places(box))
        holder, key = places[self.node % len(places)]
        was = holder[key]
        match self.deed:
            case "replace":
                holder[key] = self.junk
            case "delete":
                del holder[key]
            case "repeat":
                holder[key] = was * 2 if isinstance(was, list | str) else [was, was]
            case "in a list":
                holder[key] = [was]
            case "in an object":
                holder[key] = {"type": was, "x": self.junk}
            case "rename" if isinstance(holder, dict):
                holder[f"{key}_"] = holder.pop(key)
            case "add" if isinstance(was, dict):
                was[_NAMES[self.other % len(_NAMES)]] = self.junk
            case "add" if isinstance(was, list):
                was.append(self.junk)
            case _:
                from_holder, from_key = places[self.other % len(places)]
                holder[key] = orjson.loads(orjson.dumps(from_holder[from_key]))
        return box[0] if box else None


MANGLES: st.SearchStrategy[Sequence[Mangle]] = st.lists(
    st.builds(Mangle, st.sampled_from(_DEEDS), st.integers(0, 400), st.integers(0, 400), _JUNK),
    min_size=1,
    max_size=4,
)


def mangled(value: Any, mangles: Sequence[Mangle]) -> Any:
    """The value itself stays as it is."""
    copy = orjson.loads(orjson.dumps(value))
    for mangle in mangles:
        copy = mangle(copy)
    return copy


def written(value: Any) -> bytes:
    raw = orjson.dumps(value)
    for name, instead in _RAW.items():
        raw = raw.replace(b'"%s":' % name.encode(), b'"odd":')
        raw = raw.replace(b'"%s"' % name.encode(), instead)
    return raw


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    waiting = [value]
    while waiting:
        holder = waiting.pop(0)
        found = holder.items() if isinstance(holder, dict) else enumerate(holder)
        for key, inner in found:
            yield holder, key
            if isinstance(inner, dict | list):
                waiting.append(inner)
