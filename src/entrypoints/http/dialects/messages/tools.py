from typing import Any

from .....domain.fields import Json, as_a, given, path, required, wrong_type

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


def tools_of(body: Json) -> dict[str, Any]:
    """OpenAI's `tools`, `tool_choice` and `parallel_tool_calls`."""
    functions = []
    for index, item in enumerate(given(body, "tools", list) or []):
        at = f"tools.{index}"
        tool: dict[str, Any] = as_a(dict, item, at)
        given(tool, "type", str, at)
        if is_function(tool):
            functions.append(_function(tool, at))
    choice: dict[str, Any] | None = given(body, "tool_choice", dict)
    chosen = {} if choice is None else _chosen(choice, {f["name"] for f in functions})
    if not functions:
        return {}
    return {"tools": [{"type": "function", "function": f} for f in functions], **chosen}


def is_function(tool: Json) -> bool:
    """Tools that Anthropic defines, and for the most part runs (`web_search_20250305`, …), have a
    type of their own and no schema: nobody else has them."""
    return tool.get("type") in {None, "custom"}


def is_strict(schema: object) -> bool:
    """Whether OpenAI can hold a model to it: it wants every property of every object to be
    required, and no other allowed. Anthropic leaves some optional.

    https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
    """
    waiting = [schema]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if not _is_closed(item):
                return False
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return True


def _is_closed(schema: Json) -> bool:
    properties = schema.get("properties")
    if not isinstance(properties, dict):
        return schema.get("type") != "object"
    named = schema.get("required")
    wanted = {name for name in named if isinstance(name, str)} if isinstance(named, list) else set()
    return schema.get("additionalProperties") is False and wanted.issuperset(properties)


def _function(tool: Json, at: str) -> dict[str, Any]:
    schema: dict[str, Any] = required(tool, "input_schema", dict, at)
    function: dict[str, Any] = {"name": required(tool, "name", str, at), "parameters": schema}
    if (description := given(tool, "description", str, at)) is not None:
        function["description"] = description
    if given(tool, "strict", bool, at) and is_strict(schema):
        function["strict"] = True
    return function


def _chosen(choice: Json, names: set[str]) -> dict[str, Any]:
    kind = required(choice, "type", str, "tool_choice")
    fields: dict[str, Any] = {}
    if kind in _CHOICES:
        fields["tool_choice"] = _CHOICES[kind]
    elif kind == "tool":
        name = required(choice, "name", str, "tool_choice")
        if name in names:
            fields["tool_choice"] = {"type": "function", "function": {"name": name}}
    else:
        raise wrong_type(path("tool_choice", "type"), "'auto', 'any', 'tool' or 'none'")
    if given(choice, "disable_parallel_tool_use", bool, "tool_choice"):
        fields["parallel_tool_calls"] = False
    return fields
