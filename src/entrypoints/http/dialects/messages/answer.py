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


def stop_of(choice: Mapping[str, Any], *, has_calls: bool, has_refused: bool) -> dict[str, Any]:
    """Some servers call tools, and say that they just stopped. Which of the sequences it was that
    stopped it, only vLLM tells, in a field of its own."""
    reason = choice.get("finish_reason")
    reason = reason if isinstance(reason, str) else "stop"
    sequence = choice.get("stop_reason")
    if reason in _STOP_REASONS:
        return {"stop_reason": _STOP_REASONS[reason], "stop_sequence": None}
    if has_refused:
        return {"stop_reason": "refusal", "stop_sequence": None}
    if has_calls:
        return {"stop_reason": "tool_use", "stop_sequence": None}
    if isinstance(sequence, str) and sequence:
        return {"stop_reason": "stop_sequence", "stop_sequence": sequence}
    return {"stop_reason": "end_turn", "stop_sequence": None}


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
