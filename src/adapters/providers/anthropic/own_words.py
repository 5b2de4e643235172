"""A caller that speaks Anthropic's format itself: what it wrote is sent as it is."""

from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ....domain.dialects import Dialect, Native
from ...wire.budgets import within
from ...wire.codec import EncodedChat

PATH = "/messages"


def as_it_came(call: UpstreamCall[ChatRequest], native: Native, *, stream: bool) -> EncodedChat:
    body = {**native.body, "model": call.model, "stream": stream}
    if isinstance(messages := body.get("messages"), list):
        body["messages"] = [_signed(message) for message in messages]
    cap, own = call.output_cap, body.get("max_tokens")
    if cap is not None and not (type(own) is int and own < cap):
        body["max_tokens"] = cap
    dropped: tuple[str, ...] = ()
    if type(own) is int and body["max_tokens"] < own and "thinking" in body:
        body["thinking"], dropped = within(body["thinking"], body["max_tokens"])
    return EncodedChat(
        path=PATH, body=body, headers=native.headers, dialect=Dialect.MESSAGES, dropped=dropped
    )


def _signed(message: Any) -> Any:
    """Without the thoughts of another provider's model, which answered an earlier turn: nobody has
    signed them, and Anthropic refuses such."""
    content = message.get("content") if isinstance(message, dict) else None
    if not isinstance(content, list) or not any(map(_is_unsigned, content)):
        return message
    return {**message, "content": [block for block in content if not _is_unsigned(block)]}


def _is_unsigned(block: Any) -> bool:
    return (
        isinstance(block, dict) and block.get("type") == "thinking" and not block.get("signature")
    )
