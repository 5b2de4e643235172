"""Tools, and which of them to call.

https://platform.openai.com/docs/api-reference/responses/create#responses-create-tools: functions
are flat here. What OpenAI runs itself, such as web search, has no counterpart in a chat.
"""

from typing import Any

from .....domain.fields import given, required, wrong_type
from .untranslated import Untranslated

_FUNCTION = ("name", "description", "parameters", "strict")
_KNOWN = frozenset({"type", *_FUNCTION})


def chat_tools(sent: list[Any], lost: Untranslated) -> list[dict[str, Any]]:
    tools = []
    for index, tool in enumerate(sent):
        param = f"tools.{index}"
        if not isinstance(tool, dict):
            raise wrong_type(param, "an object")
        if required(tool, "type", str, param) != "function":
            lost.needs_native(f"{param}.type")
            continue
        required(tool, "name", str, param)
        lost.drop_all_but(_KNOWN, tool, "tools")
        function = {name: tool[name] for name in _FUNCTION if tool.get(name) is not None}
        tools.append({"type": "function", "function": function})
    return tools


def chosen(
    choice: object, tools: list[dict[str, Any]], lost: Untranslated
) -> tuple[object, list[dict[str, Any]]]:
    """The choice in a chat's terms, and the tools that are left to choose from."""
    if choice is None or isinstance(choice, str):
        return choice, tools
    if not isinstance(choice, dict):
        raise wrong_type("tool_choice", "a string or an object")
    match required(choice, "type", str, "tool_choice"):
        case "function":
            name = required(choice, "name", str, "tool_choice")
            return {"type": "function", "function": {"name": name}}, tools
        case "allowed_tools":
            mode = required(choice, "mode", str, "tool_choice")
            allowed = _allowed(choice, lost)
            # Few servers know the choice of several, but all can be sent only those.
            return mode, [tool for tool in tools if tool["function"]["name"] in allowed]
    lost.needs_native("tool_choice.type")
    return None, tools


def _allowed(choice: dict[str, Any], lost: Untranslated) -> set[str]:
    names = set()
    for index, tool in enumerate(given(choice, "tools", list, "tool_choice") or []):
        param = f"tool_choice.tools.{index}"
        if not isinstance(tool, dict):
            raise wrong_type(param, "an object")
        if tool.get("type") == "function":
            names.add(required(tool, "name", str, param))
        else:
            lost.needs_native(f"{param}.type")
    return names
