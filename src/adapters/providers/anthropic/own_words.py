"""A caller that speaks Anthropic's format itself: what it wrote is sent as it is."""

from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ....domain.dialects import Dialect, Native
from ...wire.codec import EncodedChat
from .thinking import MIN_BUDGET

PATH = "/messages"


def as_it_came(call: UpstreamCall[ChatRequest], native: Native, *, stream: bool) -> EncodedChat:
    body = {**native.body, "model": call.model, "stream": stream}
    if isinstance(messages := body.get("messages"), list):
        body["messages"] = [_signed(message) for message in messages]
    cap, own = call.output_cap, body.get("max_tokens")
    if cap is not None and not (type(own) is int and own < cap):
        body["max_tokens"] = cap
    lowered = type(own) is int and body["max_tokens"] < own
    return EncodedChat(
        path=PATH,
        body=body,
        headers=native.headers,
        dialect=Dialect.MESSAGES,
        dropped=_think_within(body) if lowered else (),
    )


def _think_within(body: dict[str, Any]) -> tuple[str, ...]:
    """A budget of thoughts has to be smaller than the cap, also than one that the gateway has
    lowered, and has a least size. What is then left out.

    https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking
    """
    thinking, cap = body.get("thinking"), body["max_tokens"]
    if not isinstance(thinking, dict):
        return ()
    budget = thinking.get("budget_tokens")
    if type(budget) is not int or budget < cap:
        return ()
    smaller = cap * 3 // 4
    if smaller < MIN_BUDGET:
        body["thinking"] = {"type": "disabled"}
        return ("thinking",)
    body["thinking"] = {**thinking, "budget_tokens": smaller}
    return ("thinking.budget_tokens",)


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
