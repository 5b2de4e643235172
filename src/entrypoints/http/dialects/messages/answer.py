"""What a whole answer and a streamed one have in common."""

import re
from collections.abc import Mapping
from typing import Any

from .....domain.chat import ChatRequest

_UNFIT_FOR_IDS = re.compile(r"[^a-zA-Z0-9_-]+")
_THOUGHTS = ("thinking", "redacted_thinking")
# https://docs.anthropic.com/en/api/handling-stop-reasons
_STOP_REASONS = {"length": "max_tokens", "content_filter": "refusal"}


def head(chat: Mapping[str, Any], asked: ChatRequest) -> dict[str, Any]:
    own, model = chat.get("id"), chat.get("model")
    known = own.removeprefix("chatcmpl-") if isinstance(own, str) else str(own)
    return {
        "id": f"msg_{_UNFIT_FOR_IDS.sub('', known)}",
        "type": "message",
        "role": "assistant",
        "model": model if isinstance(model, str) else asked.model,
    }


def text_block(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "citations": None}


def call_block(call_id: str, name: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Called by the model itself, not by a program that Anthropic runs for it."""
    block = {"type": "tool_use", "id": call_id, "name": name, "input": asked}
    return {**block, "caller": {"type": "direct"}}


def stop_of(choice: Mapping[str, Any], *, has_calls: bool, has_refused: bool) -> dict[str, Any]:
    """Which of the sequences it was that stopped it, only vLLM tells, in a field of its own."""
    reason = _stop_reason(choice.get("finish_reason"), has_calls=has_calls, has_refused=has_refused)
    sequence = as_text(choice.get("stop_reason")) or None
    if reason != "end_turn":
        sequence = None
    return {
        "stop_reason": "stop_sequence" if sequence else reason,
        "stop_sequence": sequence,
        "stop_details": None,
        "container": None,
    }


def _stop_reason(finish_reason: object, *, has_calls: bool, has_refused: bool) -> str:
    """Some servers call tools, and say that they just stopped."""
    if isinstance(finish_reason, str) and finish_reason in _STOP_REASONS:
        return _STOP_REASONS[finish_reason]
    if has_refused:
        return "refusal"
    return "tool_use" if has_calls else "end_turn"


def thought(said: Mapping[str, Any]) -> str:
    """vLLM, DeepSeek and llama.cpp call it by the first name, OpenRouter and Ollama by the
    second."""
    for name in ("reasoning_content", "reasoning"):
        text = said.get(name)
        if isinstance(text, str) and text:
            return text
    return ""


def thinking_blocks(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that a provider of the same kind thought, in Anthropic's own form."""
    found = said.get("thinking_blocks")
    return [
        block
        for block in (found if isinstance(found, list) else ())
        if isinstance(block, dict) and block.get("type") in _THOUGHTS
    ]


def text_of(content: object) -> str:
    """A text, or the texts of its parts."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    texts = (part.get("text") for part in parts if isinstance(part, dict))
    return "".join(text for text in texts if isinstance(text, str))


def objects(value: object) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def as_object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def as_text(value: object) -> str:
    return value if isinstance(value, str) else ""
