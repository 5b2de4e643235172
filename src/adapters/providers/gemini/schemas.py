"""JSON Schema as Google takes it, which is most of it.

https://ai.google.dev/api/generate-content#FIELDS.response_json_schema: beside a `$ref` nothing but
other `$` names may stand; shared parts are found in `$defs`; `const` is not known.
"""

from collections.abc import Mapping
from typing import Any

# Enough for schemas that people write; one that doubles at each step must not fill the memory, nor
# one that nests at each step the stack.
_MAX_INLINED, _MAX_INLINED_DEPTH = 64, 20
_OLD_DEFS, _DEFS = "#/definitions/", "#/$defs/"
# Names of the caller's own in front of schemas, and the caller's own data.
_NAMED = frozenset({"properties", "patternProperties", "$defs"})
_DATA = frozenset({"enum", "default", "examples"})


def json_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    return _Rewriting(schema).root()


class _Rewriting:
    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = {name: value for name, value in schema.items() if name != "$schema"}
        if isinstance(old := self._schema.get("definitions"), dict):
            del self._schema["definitions"]
            known = self._schema.get("$defs")
            self._schema["$defs"] = {**old, **(known if isinstance(known, dict) else {})}
        self._inlined = 0

    def root(self) -> dict[str, Any]:
        return self._object(self._schema, (), 0)

    def _value(self, value: Any, inside: tuple[str, ...], depth: int) -> Any:
        if isinstance(value, dict):
            return self._object(value, inside, depth + 1)
        if isinstance(value, list):
            return [self._value(item, inside, depth + 1) for item in value]
        return value

    def _object(
        self, schema: Mapping[str, Any], inside: tuple[str, ...], depth: int
    ) -> dict[str, Any]:
        if isinstance(ref := schema.get("$ref"), str):
            return self._reference(ref, schema, inside, depth)
        rewritten: dict[str, Any] = {}
        for name, value in schema.items():
            if name in _NAMED and isinstance(value, dict):
                named = {key: self._value(one, inside, depth + 1) for key, one in value.items()}
                rewritten[name] = named
            elif name in _DATA:
                rewritten[name] = value
            else:
                rewritten[name] = self._value(value, inside, depth)
        const = rewritten.get("const")
        if isinstance(const, str | int | float) and not isinstance(const, bool):
            del rewritten["const"]
            rewritten.setdefault("enum", [const])
        return rewritten

    def _reference(
        self, ref: str, schema: Mapping[str, Any], inside: tuple[str, ...], depth: int
    ) -> dict[str, Any]:
        """Where more is said beside it, what it points at is put in its place; but not within
        itself, where that would never end."""
        ref = f"{_DEFS}{ref.removeprefix(_OLD_DEFS)}" if ref.startswith(_OLD_DEFS) else ref
        more = {name: value for name, value in schema.items() if not name.startswith("$")}
        is_near = self._inlined < _MAX_INLINED and depth < _MAX_INLINED_DEPTH
        if more and is_near and ref not in inside and (target := self._target(ref)) is not None:
            self._inlined += 1
            return self._object({**target, **more}, (*inside, ref), depth)
        kept = {
            name: self._value(value, inside, depth)
            for name, value in schema.items()
            if name.startswith("$")
        }
        return {**kept, "$ref": ref}

    def _target(self, ref: str) -> dict[str, Any] | None:
        defs = self._schema.get("$defs")
        if not isinstance(defs, dict) or not ref.startswith(_DEFS):
            return None
        found = defs.get(ref.removeprefix(_DEFS))
        return found if isinstance(found, dict) else None
