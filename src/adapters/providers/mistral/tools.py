"""Tools, and which of them may be called: https://docs.mistral.ai/capabilities/function_calling."""

from collections.abc import Mapping
from typing import Any

_NO_PARAMETERS = {"type": "object", "properties": {}}


def tools_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that tell them, where there are any."""
    tools, choice = given.get("tools"), given.get("tool_choice")
    match choice:
        case {"type": "allowed_tools", "allowed_tools": {"tools": [*allowed], **how}}:
            # Mistral knows all or one of them: the others are left out.
            names = [_name(tool) for tool in allowed]
            if isinstance(tools, list):
                tools = [tool for tool in tools if _name(tool) in names]
            choice = "any" if how.get("mode") == "required" else "auto"
        case "required":  # in the newer schema only, and means the same
            choice = "any"
    if tools is not None:
        tools = [_tool(tool) for tool in tools]
    told = {"tools": tools, "tool_choice": choice}
    return {name: value for name, value in told.items() if value is not None}


def _tool(tool: Any) -> Any:
    """With `parameters`, which Mistral requires of every function."""
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        return tool
    told = {name: value for name, value in function.items() if value is not None}
    return {**tool, "function": {"parameters": _NO_PARAMETERS, **told}}


def _name(tool: Any) -> str | None:
    function = tool.get("function") if isinstance(tool, dict) else None
    name = function.get("name") if isinstance(function, dict) else None
    return name if isinstance(name, str) else None
