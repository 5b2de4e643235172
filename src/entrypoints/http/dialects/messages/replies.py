"""A whole answer in the OpenAI format, as https://docs.anthropic.com/en/api/messages has it."""

from collections.abc import Mapping
from typing import Any

from .....domain.chat import ChatRequest
from .....domain.estimates import token_bound
from ..said import as_object, as_text, objects, text_of, thoughts_of
from .answer import call_block, head, stop_of, text_block, thinking_blocks
from .json_text import tool_input
from .usage import whole_usage


def message_of(chat: Mapping[str, Any], asked: ChatRequest) -> dict[str, Any]:
    choice = next(iter(objects(chat.get("choices"))), {})
    said = as_object(choice.get("message"))
    begun = head(chat, asked)
    refusal = as_text(said.get("refusal"))
    calls = [
        _call(call, f"{begun['id']}_{index}")
        for index, call in enumerate(objects(said.get("tool_calls")))
    ]
    content = [*_thoughts(said), *_texts(text_of(said.get("content")), refusal), *calls]
    return {
        **begun,
        "content": content,
        **stop_of(choice, has_calls=bool(calls), has_refused=bool(refusal)),
        "usage": whole_usage(chat.get("usage"), asked, token_bound(content)),
    }


def _thoughts(said: Mapping[str, Any]) -> list[dict[str, Any]]:
    if blocks := thinking_blocks(said):
        return blocks
    text = thoughts_of(said)
    return [{"type": "thinking", "thinking": text, "signature": ""}] if text else []


def _texts(*texts: str) -> list[dict[str, Any]]:
    return [text_block(text) for text in texts if text]


def _call(call: Mapping[str, Any], own_id: str) -> dict[str, Any]:
    function = as_object(call.get("function"))
    return call_block(
        as_text(call.get("id")) or own_id.replace("msg_", "toolu_", 1),
        as_text(function.get("name")),
        tool_input(function.get("arguments")),
    )
