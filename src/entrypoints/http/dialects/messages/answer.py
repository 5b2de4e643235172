"""What a whole answer and a streamed one have in common."""

import re
from collections.abc import Mapping
from typing import Any

from .....domain.chat import ChatRequest
from ..said import as_text, signed_thoughts_of

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


def thinking_blocks(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Those that a provider of the same kind thought."""
    return [block for block in signed_thoughts_of(said) if block.get("type") in _THOUGHTS]
