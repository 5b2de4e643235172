"""https://ai.google.dev/api/caching#Tool and https://ai.google.dev/api/caching#ToolConfig"""

from collections.abc import Mapping
from typing import Any

from .families import has_levels
from .schemas import json_schema

_MODES = {"auto": "AUTO", "none": "NONE", "required": "ANY", "any": "ANY"}


class Tools:
    """The tools of one request. `dropped` names what Google has no counterpart of."""

    def __init__(self, body: Mapping[str, Any], model: str) -> None:
        self.dropped: dict[str, None] = {}
        self._can_mix = has_levels(model)
        self._functions: list[dict[str, Any]] = []
        self._own: list[dict[str, Any]] = []
        if isinstance(given := body.get("tools"), list):
            for tool in given:
                self._add(tool)
        self._search(body.get("web_search_options"))
        self._choice = body.get("tool_choice")

    def encode(self, own_config: Mapping[str, Any]) -> dict[str, Any]:
        """`tools` and `toolConfig`, where there are any; `own_config` is what the caller set of the
        latter beside OpenAI's `tool_choice`."""
        tools = [*self._own]
        config = dict(own_config)
        if self._functions:
            tools.append({"functionDeclarations": self._functions})
            if (calling := _calling_config(self._choice)) is not None:
                config["functionCallingConfig"] = calling
            if self._own and self._can_mix:
                _mix(config)
        encoded = {"tools": tools, "toolConfig": config}
        return {name: value for name, value in encoded.items() if value}

    def _add(self, tool: object) -> None:
        if not isinstance(tool, dict):
            return
        function = tool.get("function")
        kind = tool.get("type", "function" if "function" in tool else None)
        if isinstance(function, dict):
            self._functions.append(_declaration(function))
        elif kind is None:
            self._own.append(tool)
        else:
            self.dropped[f"tools.{kind}" if isinstance(kind, str) else "tools"] = None

    def _search(self, options: object) -> None:
        """https://ai.google.dev/gemini-api/docs/google-search takes no options."""
        if isinstance(options, dict):
            self._own.append({"googleSearch": {}})
            self.dropped |= {f"web_search_options.{name}": None for name in options}


def _mix(config: dict[str, Any]) -> None:
    """Google's own tools beside functions: https://ai.google.dev/gemini-api/docs/tool-combination.
    What they do is then told, and the model cannot be left free, but for the choice."""
    config.setdefault("includeServerSideToolInvocations", True)
    calling = config.get("functionCallingConfig")
    if isinstance(calling, dict) and calling.get("mode") == "AUTO":
        config["functionCallingConfig"] = {**calling, "mode": "VALIDATED"}


def _declaration(function: Mapping[str, Any]) -> dict[str, Any]:
    """`strict` has no counterpart and needs none: calls keep to their schema."""
    declared = {
        name: value for name in ("name", "description") if (value := function.get(name)) is not None
    }
    parameters = function.get("parameters")
    if isinstance(parameters, dict) and parameters:
        declared["parametersJsonSchema"] = json_schema(parameters)
    return declared


def _calling_config(choice: object) -> dict[str, Any] | None:
    match choice:
        case str() if choice in _MODES:
            return {"mode": _MODES[choice]}
        case {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": list(tools)}}:
            # Names are taken in modes ANY and VALIDATED only; the latter leaves the choice.
            names = [name for tool in tools if (name := _name(tool)) is not None]
            return {"mode": "ANY" if mode == "required" else "VALIDATED"} | _only(names)
        case dict() if (name := _name(choice)) is not None:
            return {"mode": "ANY"} | _only([name])
    return None


def _name(choice: object) -> str | None:
    match choice:
        case {"function": {"name": str(name)}} | {"name": str(name)}:
            return name
    return None


def _only(names: list[str]) -> dict[str, Any]:
    return {"allowedFunctionNames": names} if names else {}
