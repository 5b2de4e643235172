"""What is inside a choice, put right where an upstream says it in its own way.

Clients made from OpenAI's description, and those that check what they are told (Pydantic AI), fail
on a word that is not in it: https://github.com/openai/openai-openapi
"""

from typing import Any
from uuid import uuid4

import orjson

from .malformed import Malformed
from .usage import MAX_TOKENS

# `error` is none of theirs: it ends a stream, and the reader of streams must see it.
_REASONS = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call", "error"})
_OTHER_REASONS = {
    "max_tokens": "length",  # Anthropic's and Gemini's word, through servers that pass it on
    "model_length": "length",  # Mistral
    "max_length": "length",
    "tool_use": "tool_calls",
    "safety": "content_filter",
    "refusal": "content_filter",
}
_TIERS = frozenset({"auto", "default", "fast", "flex", "scale", "priority"})
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
_DETAILS = ("prompt_tokens_details", "completion_tokens_details")


def finish_reason(told: str) -> str:
    """In OpenAI's words; what cannot be told apart (`eos`, `end_turn`) is a stop."""
    return told if told in _REASONS else _OTHER_REASONS.get(told.lower(), "stop")


def mend_answer(body: dict[str, Any]) -> None:
    """Whatever stands beside the choices. `on_demand`, as Groq calls its tier, is none of OpenAI's
    tiers."""
    tier = body.get("service_tier")
    if tier is not None and not (isinstance(tier, str) and tier in _TIERS):
        del body["service_tier"]
    if not isinstance(body.get("system_fingerprint", ""), str):
        del body["system_fingerprint"]
    usage = body.get("usage")
    if isinstance(usage, dict):
        _mend_usage(usage)
        if not usage:
            del body["usage"]


def mend_said(said: dict[str, Any], *, whole: bool, keeps_parts: bool) -> None:
    """A message, or a delta. A codec that reads the parts of its content keeps them."""
    if not keeps_parts and isinstance(said.get("content"), list):
        said["content"] = _joined(said["content"])
    if not isinstance(said.get("refusal", ""), str | None):
        said["refusal"] = None
    if said.get("role", "assistant") != "assistant":
        said["role"] = "assistant"
    if "tool_calls" in said:
        _mend_calls(said["tool_calls"], whole=whole)


def mend_probabilities(choice: dict[str, Any]) -> None:
    told = choice.get("logprobs")
    if isinstance(told, dict):
        told.setdefault("content", None)
        told.setdefault("refusal", None)
    elif told is not None:
        choice["logprobs"] = None


def _mend_calls(calls: object, *, whole: bool) -> None:
    if not isinstance(calls, list):
        raise Malformed("its tool calls are not a list")
    for call in calls:
        if not isinstance(call, dict):
            raise Malformed("a tool call is not an object")
        function = call.get("function")
        if not isinstance(function, dict):
            continue
        if whole or "type" in call:
            call["type"] = "function"
        # Of a streamed call only the first piece has one: see call_numbers.py.
        if whole and not (isinstance(call.get("id"), str) and call["id"]):
            call["id"] = f"call_{uuid4().hex[:24]}"
        _mend_arguments(function, whole=whole)


def _mend_arguments(function: dict[str, Any], *, whole: bool) -> None:
    arguments = function.get("arguments")
    if isinstance(arguments, str):
        return
    if arguments is not None:
        function["arguments"] = orjson.dumps(arguments).decode()
    elif whole:
        function["arguments"] = "{}"
    else:
        function.pop("arguments", None)


def _mend_usage(usage: dict[str, Any]) -> None:
    for name in _COUNTS:
        if type(count := usage.get(name)) is int and count > MAX_TOKENS:
            del usage[name]
    for name in _DETAILS:
        details = usage.get(name)
        if isinstance(details, dict):
            usage[name] = {key: value for key, value in details.items() if value is not None}
        else:
            usage.pop(name, None)
    prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if (
        type(prompt) is int
        and type(completion) is int
        and type(usage.get("total_tokens")) is not int
    ):
        usage["total_tokens"] = prompt + completion


def _joined(parts: list[Any]) -> str:
    texts = (part.get("text") if isinstance(part, dict) else part for part in parts)
    return "".join(text for text in texts if isinstance(text, str))
