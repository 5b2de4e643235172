"""Tools, and which of them may be called:
https://platform.claude.com/docs/en/agents-and-tools/tool-use/define-tools."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .models import Traits
from .schemas import strict_schema

Tool = dict[str, Any]

_NO_PARAMETERS: Mapping[str, Any] = {"type": "object", "properties": {}}
_CHOICES = {"auto": "auto", "none": "none", "required": "any", "any": "any"}
_FORCED = frozenset({"any", "tool"})


class ToolBox:
    """`dropped` names what is asked for and cannot be had. `is_forced` says that one must be
    called."""

    def __init__(self, body: Mapping[str, Any], called: Iterable[str], model: Traits) -> None:
        self.dropped: dict[str, None] = {}
        self._model = model
        self.tools = list(self._given(body.get("tools")))
        wanted = body.get("tool_choice")
        if not self.tools:
            # A conversation that holds calls must tell the tools that were called.
            self.tools = [{"name": name, "input_schema": _NO_PARAMETERS} for name in called]
            if wanted not in (None, "auto", "none"):
                self.dropped["tool_choice"] = None
            wanted = "none"
        choice = self._choice(wanted)
        self.choice = choice if self.tools else None
        if body.get("parallel_tool_calls") is False:
            self._one_at_a_time()

    @property
    def is_forced(self) -> bool:
        return self.choice is not None and self.choice.get("type") in _FORCED

    def _given(self, tools: object) -> Iterator[Tool]:
        for tool in tools if isinstance(tools, list) else ():
            if not isinstance(tool, dict):
                self.dropped["tools"] = None
                continue
            if isinstance(function := tool.get("function"), dict):
                own = {name: tool[name] for name in tool.keys() - {"type", "function"}}
                yield {**_function(function, knows_schemas=self._model.knows_schemas), **own}
            elif isinstance(tool.get("custom"), dict):  # takes a text, where theirs take objects
                self.dropped["tools.custom"] = None
            else:
                yield dict(tool)

    def _choice(self, wanted: object) -> Tool | None:
        choice = self._translated(wanted)
        if choice and choice.get("type") in _FORCED and not self._model.forces_tools:
            # https://platform.claude.com/docs/en/models/opus-5-5/whats-new-opus-5-5
            self.dropped["tool_choice"] = None
            return {"type": "auto"}
        return choice

    def _translated(self, wanted: Any) -> Tool | None:
        match wanted:
            case str(word) if word in _CHOICES:
                return {"type": _CHOICES[word]}
            case {"function": {"name": str(name)}} | {"custom": {"name": str(name)}}:
                return {"type": "tool", "name": name}
            case {"type": "allowed_tools", "allowed_tools": {"tools": [*allowed], **how}}:
                names = [_name(tool) for tool in allowed]
                self.tools = [tool for tool in self.tools if tool.get("name") in names]
                return self._translated(how.get("mode"))
            case {"type": str()}:
                return {**wanted}
            case {"name": str(name)}:
                return {"type": "tool", "name": name}
        if wanted is not None:
            self.dropped["tool_choice"] = None
        return None

    def _one_at_a_time(self) -> None:
        if self.tools and (self.choice or {}).get("type") != "none":
            self.choice = {"type": "auto", **(self.choice or {}), "disable_parallel_tool_use": True}


def _function(function: Mapping[str, Any], *, knows_schemas: bool) -> Tool:
    tool = {
        name: value
        for name, value in function.items()
        if value is not None and name not in {"parameters", "strict"}
    }
    schema = function.get("parameters")
    schema = schema if isinstance(schema, dict) else _NO_PARAMETERS
    schema = schema if schema.get("type") == "object" else {**schema, "type": "object"}
    if function.get("strict") is True and knows_schemas:
        return {**tool, "input_schema": strict_schema(schema), "strict": True}
    return {**tool, "input_schema": schema}


def _name(tool: object) -> object:
    if not isinstance(tool, dict):
        return None
    function = tool.get("function") or tool.get("custom")
    name = function.get("name") if isinstance(function, dict) else tool.get("name")
    return name if isinstance(name, str) else None
