"""What an answer of a chat says, whatever an upstream may have put there."""

from collections.abc import Mapping
from typing import Any

import orjson


def thoughts_of(said: Mapping[str, Any]) -> str:
    """vLLM, DeepSeek and llama.cpp call it by the first name, OpenRouter and Ollama by the
    second."""
    return text_of(said.get("reasoning_content")) or text_of(said.get("reasoning"))


def signed_thoughts_of(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """In the form of Anthropic's blocks, whoever thought them; without the numbers of a stream."""
    return [
        {name: value for name, value in block.items() if name != "index"}
        for block in objects(said.get("thinking_blocks"))
    ]


def arguments_of(function: Mapping[str, Any]) -> str:
    """Some servers send an object instead of the text of one."""
    arguments = function.get("arguments")
    if isinstance(arguments, dict):
        return orjson.dumps(arguments).decode()
    return as_text(arguments)


def text_of(content: object) -> str:
    """A text, or the texts of its parts."""
    if isinstance(content, str):
        return content
    return "".join(as_text(part.get("text")) for part in objects(content))


def objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_text(value: object) -> str:
    return value if isinstance(value, str) else ""


def count(holder: Mapping[str, Any], name: str) -> int:
    value = holder.get(name)
    return value if type(value) is int and value > 0 else 0
