"""What only a response has a place for, of what a chat's answer says."""

from collections.abc import Mapping
from typing import Any

from ..said import as_object, objects


def calls_of(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that name a function, or add to the arguments of one."""
    return [c for c in objects(said.get("tool_calls")) if isinstance(c.get("function"), dict)]


def logprobs_of(choice: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = objects(as_object(choice.get("logprobs")).get("content"))
    return [{"bytes": [], "top_logprobs": [], **token} for token in content if _is_token(token)]


def annotations_of(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Citations: a chat has them nested, a response does not."""
    return [
        {"type": "url_citation", **note["url_citation"]}
        for note in objects(message.get("annotations"))
        if isinstance(note.get("url_citation"), dict)
    ]


def first_choice(chat: Mapping[str, Any]) -> dict[str, Any]:
    """More than one is never asked for. Empty where a chunk has none."""
    return next((one for one in objects(chat.get("choices")) if one.get("index", 0) == 0), {})


def _is_token(token: Mapping[str, Any]) -> bool:
    return "token" in token and "logprob" in token
