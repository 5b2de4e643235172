"""What Mistral answers: https://docs.mistral.ai/api/#tag/chat, and reasoning as
https://docs.mistral.ai/studio-api/conversations/reasoning has it."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import orjson

from ...wire.usage import cached_tokens
from .content import joined_text, joined_thinking

_FINISH_REASONS = {"model_length": "length"}
# Of messages that are sent, or of conversations with several agents.
_NOT_OPENAIS = ("prefix", "tool_call_id", "index", "metadata")
# What their SDKs write for an id that is not told.
_NO_ID = "null"


def translate_choice(choice: dict[str, Any], own_ids: Mapping[str, str]) -> None:
    """In place. A choice holds a `message`, or in a stream a `delta`, of the same making."""
    reason = choice.get("finish_reason")
    if isinstance(reason, str):
        choice["finish_reason"] = _FINISH_REASONS.get(reason, reason)
    whole = choice.get("message")
    part = choice.get("delta")
    for said in (whole, part):
        if isinstance(said, dict):
            for name in _NOT_OPENAIS:
                said.pop(name, None)
            _translate_content(said)
            calls = said.get("tool_calls")
            if isinstance(calls, list):
                said["tool_calls"] = [
                    _translated_call(call, own_ids, streamed=said is part)
                    for call in calls
                    if isinstance(call, dict)
                ]


def _translate_content(said: dict[str, Any]) -> None:
    parts = said.get("content")
    if not isinstance(parts, list):
        return
    said["content"] = joined_text(parts)
    if thinking := joined_thinking(parts):
        said["reasoning_content"] = thinking


def _translated_call(
    call: dict[str, Any], own_ids: Mapping[str, str], *, streamed: bool
) -> dict[str, Any]:
    """A streamed call without an id, or an index, is given one where the stream is put together."""
    call_id = call.get("id")
    if isinstance(call_id, str):
        call["id"] = own_ids.get(call_id, call_id)
    if call_id is None or call_id == _NO_ID:
        call.pop("id", None)
        if not streamed:
            call["id"] = f"call_{uuid4().hex[:24]}"
    if not streamed:
        call.pop("index", None)
    if call.get("type") is None:
        call["type"] = "function"
    function = call.get("function")
    if isinstance(function, dict):
        arguments = function.get("arguments")
        if isinstance(arguments, dict | list):
            function["arguments"] = orjson.dumps(arguments).decode()
    return call


def translate_usage(body: dict[str, Any]) -> None:
    """In place: cached tokens stand where OpenAI has them, whatever the server calls them."""
    usage = body.get("usage")
    if not isinstance(usage, dict):
        return
    cached = cached_tokens(usage)
    usage.pop("prompt_token_details", None)
    usage.pop("num_cached_tokens", None)
    if cached:
        details = usage.get("prompt_tokens_details")
        known = details if isinstance(details, dict) else {}
        usage["prompt_tokens_details"] = {**known, "cached_tokens": cached}
