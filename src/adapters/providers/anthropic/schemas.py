"""JSON schemas as structured outputs take them:
https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations.

Every object must forbid what it does not name, and bounds on numbers, texts and lists are refused.
Such bounds go into the description, where the model can still read them, as Anthropic's own client
libraries do it."""

from collections.abc import Mapping
from typing import Any

import orjson

_KEPT = frozenset(
    {
        *("type", "enum", "const", "default", "title", "description", "required", "properties"),
        *("items", "anyOf", "allOf", "$ref", "$defs", "definitions", "additionalProperties"),
        *("$schema", "$id"),
    }
)
_FORMATS = frozenset(
    {
        *("date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6"),
        "uuid",
    }
)
_OF_SCHEMAS = frozenset({"properties", "$defs", "definitions"})
_LISTS_OF_SCHEMAS = frozenset({"anyOf", "allOf"})


def strict_schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    strict: dict[str, Any] = {}
    moved: dict[str, Any] = {}
    for given, value in schema.items():
        name = "anyOf" if given == "oneOf" and "anyOf" not in schema else given
        if name in _OF_SCHEMAS and isinstance(value, dict):
            strict[name] = {key: _strict(inner) for key, inner in value.items()}
        elif name in _LISTS_OF_SCHEMAS and isinstance(value, list):
            strict[name] = [_strict(inner) for inner in value]
        elif name == "items":
            strict[name] = _strict(value)
        elif name in _KEPT or _is_taken(name, value):
            strict[name] = value
        else:
            moved[name] = value
    if schema.get("type") == "object" or "properties" in schema:
        if schema.get("additionalProperties"):
            moved["additionalProperties"] = schema["additionalProperties"]
        strict["additionalProperties"] = False
    if moved:
        bounds = orjson.dumps(moved, default=str).decode()
        said = strict.get("description")
        strict["description"] = f"{said}\n\n{bounds}" if said else bounds
    return strict


def _strict(schema: Any) -> Any:
    return strict_schema(schema) if isinstance(schema, dict) else schema


def _is_taken(name: str, value: object) -> bool:
    if name == "format":
        return isinstance(value, str) and value in _FORMATS
    return name == "minItems" and value in (0, 1)
