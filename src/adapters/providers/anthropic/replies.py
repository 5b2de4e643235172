"""What Anthropic answers: https://platform.claude.com/docs/en/api/messages, and why it stops:
https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

from ...wire.malformed import Malformed
from ...wire.usage import openai_usage
from ...wire.well_formed import well_formed_reply
from .citations import annotations

_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


def translated_reply(body: Mapping[str, Any]) -> dict[str, Any]:
    """Raises Malformed where it is no message."""
    content = body.get("content")
    if not isinstance(content, list):
        raise Malformed("it has no content")
    said = [block for block in content if isinstance(block, dict)]
    message: dict[str, Any] = {
        "role": "assistant",
        "content": _joined(said, "text"),
        "refusal": explanation(body),
    }
    if thoughts := list(thinking_blocks(said)):
        if thinking := _joined(said, "thinking"):
            message["reasoning_content"] = thinking
        message["thinking_blocks"] = thoughts
    if sources := annotations(block for block in said if block.get("type") == "text"):
        message["annotations"] = sources
    calls = [_call(block) for block in said if block.get("type") == "tool_use"]
    finish = finish_reason(body.get("stop_reason"))
    if calls:
        message["tool_calls"] = calls
    reply = {
        **head(body),
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
    }
    if isinstance(usage := body.get("usage"), dict):
        reply["usage"] = openai_usage(usage)
    return well_formed_reply(reply)


def head(message: Mapping[str, Any]) -> dict[str, Any]:
    """Of a whole answer, or of its chunks. When it was made, Anthropic does not say."""
    return {name: told for name in ("id", "model") if isinstance(told := message.get(name), str)}


def finish_reason(stop_reason: object) -> str:
    """A reason that is not known ends an answer, too."""
    return _FINISH_REASONS.get(stop_reason, "stop") if isinstance(stop_reason, str) else "stop"


def explanation(stopped: Mapping[str, Any]) -> str | None:
    """Why the model refused, where that is told."""
    details = stopped.get("stop_details")
    told = details.get("explanation") if isinstance(details, dict) else None
    return told if isinstance(told, str) and told else None


def thinking_blocks(said: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Whole, and as they came: they are signed, and go back so."""
    for block in said:
        if block.get("type") in ("thinking", "redacted_thinking"):
            yield dict(block)


def arguments_of(block: Mapping[str, Any]) -> str:
    return orjson.dumps(block.get("input") or {}).decode()


def text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def _joined(said: Iterable[Mapping[str, Any]], kind: str) -> str | None:
    """None where nothing of the kind was said. A text with sources comes in several blocks."""
    return "".join(text_of(block.get(kind)) for block in said if block.get("type") == kind) or None


def _call(block: Mapping[str, Any]) -> dict[str, Any]:
    function = {"name": text_of(block.get("name")), "arguments": arguments_of(block)}
    return {"id": text_of(block.get("id")), "type": "function", "function": function}
