"""What a chat's answer says, whatever an upstream may have put there."""

from collections.abc import Mapping
from typing import Any

import orjson


def text_of(value: object) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        return ""
    return "".join(
        part["text"]
        for part in value
        if isinstance(part, dict) and isinstance(part.get("text"), str)
    )


def thoughts_of(said: Mapping[str, Any]) -> str:
    # vLLM, DeepSeek and Mistral's translation say the first, OpenRouter and Ollama the second.
    return text_of(said.get("reasoning_content")) or text_of(said.get("reasoning"))


def signed_thoughts_of(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = said.get("thinking_blocks")
    return [block for block in found if isinstance(block, dict)] if isinstance(found, list) else []


def calls_of(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that name a function, or add to the arguments of one."""
    calls = said.get("tool_calls")
    if not isinstance(calls, list):
        return []
    return [c for c in calls if isinstance(c, dict) and isinstance(c.get("function"), dict)]


def arguments_of(call: Mapping[str, Any]) -> str:
    arguments = call["function"].get("arguments")
    if isinstance(arguments, dict):
        return orjson.dumps(arguments).decode()
    return arguments if isinstance(arguments, str) else ""


def logprobs_of(choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    told = choice.get("logprobs")
    content = told.get("content") if isinstance(told, dict) else None
    if not isinstance(content, list):
        return []
    return [{"bytes": [], "top_logprobs": [], **token} for token in content if _is_token(token)]


def annotations_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Citations: a chat has them nested, a response does not."""
    found = message.get("annotations")
    if not isinstance(found, list):
        return []
    return [
        {"type": "url_citation", **note["url_citation"]}
        for note in found
        if isinstance(note, dict) and isinstance(note.get("url_citation"), dict)
    ]


def first_choice(chat: Mapping[str, Any]) -> dict[str, Any]:
    """More than one is never asked for. Empty where a chunk has none."""
    choices = chat.get("choices")
    if isinstance(choices, list):
        for choice in choices:
            if isinstance(choice, dict) and choice.get("index", 0) == 0:
                return choice
    return {}


def _is_token(token: object) -> bool:
    return isinstance(token, dict) and "token" in token and "logprob" in token
