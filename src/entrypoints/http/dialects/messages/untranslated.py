from collections.abc import Iterator
from typing import Any

from .....domain.fields import Json
from .tools import is_function, is_strict

_TRANSLATED = frozenset(
    {
        *("model", "messages", "max_tokens", "system", "stream", "temperature", "top_p"),
        *("stop_sequences", "metadata", "thinking", "output_config", "output_format"),
        *("tools", "tool_choice"),
    }
)
_OF_TOOLS = frozenset({"type", "name", "description", "input_schema", "strict"})
# What is cached, where it is, changes no answer.
_HARMLESS = frozenset({"cache_control", "eager_input_streaming"})


def lost(body: Json) -> tuple[str, ...]:
    """What a translation leaves out, of a request that has been translated: what OpenAI's format
    has no place for, tools that only Anthropic has, and the wish for citations."""
    return tuple(dict.fromkeys(_lost(body)))


def _lost(body: Json) -> Iterator[str]:
    yield from (
        name
        for name, value in body.items()
        if value is not None and name not in _TRANSLATED | _HARMLESS
    )
    for tool in body.get("tools") or ():
        if not is_function(tool):
            yield f"tools.{tool['type']}"
            continue
        more = tool.keys() - _OF_TOOLS - _HARMLESS
        yield from (f"tools.{name}" for name in sorted(more) if tool[name])
        if tool.get("strict") and not is_strict(tool["input_schema"]):
            yield "tools.strict"
    if any(map(_cites, body["messages"])):
        yield "messages.content.citations"


def _cites(turn: dict[str, Any]) -> bool:
    """https://docs.anthropic.com/en/docs/build-with-claude/citations"""
    blocks = turn["content"] if isinstance(turn["content"], list) else ()
    asked = (block.get("citations") for block in blocks)
    return any(isinstance(each, dict) and bool(each.get("enabled")) for each in asked)
