"""What a caller wrote, as a server of OpenAI's format takes it. The format is the gateway's own, so
most of it passes through as it is."""

from collections.abc import Mapping
from typing import Any

from ....application.ports.upstream import UpstreamCall
from ....domain.chat import ChatRequest
from ....domain.dialects import Dialect, Native
from ...wire.budgets import within
from ...wire.codec import EncodedChat
from .facts import CHAT_PATH, NEW_CAP, OLD_CAP, Facts

_NATIVE_CAPS = {
    Dialect.COMPLETIONS: "max_tokens",
    Dialect.RESPONSES: "max_output_tokens",
    Dialect.MESSAGES: "max_tokens",
}
# By which a caller may have set a cap, too. llama.cpp obeys the last before OpenAI's, and takes the
# fields of a response, or of a message, for those of a chat:
# https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md
_OTHER_CAPS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "n_predict")
# What a server does that has not been told: leaving these out loses nothing.
_DEFAULTS: Mapping[str, Any] = {
    "frequency_penalty": 0,
    "logit_bias": {},
    "logprobs": False,
    "n": 1,
    "presence_penalty": 0,
    "tool_choice": "auto",
    "top_logprobs": 0,
}

# Google's, on messages and on calls: https://ai.google.dev/gemini-api/docs/thought-signatures#openai
_SIGNATURE = "extra_content"


def encoded(call: UpstreamCall[ChatRequest], facts: Facts, *, stream: bool) -> EncodedChat:
    if (native := call.request.native) is not None:
        path = facts.native_path(call.provider.base_url, native.dialect)
        if path is not None:
            return _as_it_came(call, native, facts, path, stream=stream)
    body = {**call.request.body, "model": call.model}
    dropped = _drop(body, facts)
    body["messages"] = _messages(body["messages"], facts, dropped)
    _ask_for_stream(body, facts, dropped, stream=stream)
    if call.output_cap is not None:
        # Predictions are refused beside the newer name; the models that take any know the older:
        # https://learn.microsoft.com/en-us/azure/ai-services/openai/how-to/predicted-outputs
        _cap(body, call.output_cap, OLD_CAP if body.get("prediction") else facts.cap)
    return EncodedChat(path=CHAT_PATH, body=body, dropped=tuple(dropped))


def _as_it_came(
    call: UpstreamCall[ChatRequest], native: Native, facts: Facts, path: str, *, stream: bool
) -> EncodedChat:
    body = {**native.body, "model": call.model, "stream": stream}
    # Only text completions have their fields' names in common with chats.
    is_text = native.dialect is Dialect.COMPLETIONS
    dropped = _drop(body, facts) if is_text else []
    if stream and is_text:
        body["stream_options"] = {**(body.get("stream_options") or {}), "include_usage": True}
    if call.output_cap is not None:
        name = _NATIVE_CAPS[native.dialect]
        own, body[name] = body.get(name), call.output_cap
        _cap_others(body, call.output_cap)
        if "thinking" in body and own != call.output_cap:
            body["thinking"], lost = within(body["thinking"], call.output_cap)
            dropped += lost
    return EncodedChat(path=path, body=body, dropped=tuple(dropped), dialect=native.dialect)


def _drop(body: dict[str, Any], facts: Facts) -> list[str]:
    if facts.refuses.isdisjoint(body):
        return []
    refused = sorted(facts.refuses & body.keys())
    return [name for name in refused if _is_lost(name, body.pop(name))]


def _is_lost(name: str, value: object) -> bool:
    return value is not None and value != _DEFAULTS.get(name)


def _messages(given: list[Any], facts: Facts, dropped: list[str]) -> list[Any]:
    renames = facts.takes_reasoning or not facts.takes_developer
    if not renames and all(_is_taken(message, facts) for message in given):
        return given
    lost: dict[str, None] = {}
    messages = [_message(message, facts, lost) for message in given]
    dropped += lost
    return messages


def _message(given: Mapping[str, Any], facts: Facts, lost: dict[str, None]) -> Mapping[str, Any]:
    is_developer = given.get("role") == "developer" and not facts.takes_developer
    has_reasoning = facts.takes_reasoning and "reasoning_content" in given
    if not (is_developer or has_reasoning) and _is_taken(given, facts):
        return given
    message = dict(given)
    if is_developer:
        message["role"] = "system"
    for name in sorted(given.keys() & facts.refuses_in_messages):
        if message.pop(name):
            lost[f"messages.{name}"] = None
    if _SIGNATURE in facts.refuses_in_messages and _has_signed_calls(given):
        message["tool_calls"] = [_unsigned(call) for call in given["tool_calls"]]
        lost[f"messages.tool_calls.{_SIGNATURE}"] = None
    if has_reasoning:
        reasoning = message.pop("reasoning_content")
        message.setdefault("reasoning", reasoning)
    return message


def _is_taken(message: Mapping[str, Any], facts: Facts) -> bool:
    """Whether there is nothing in it that would be refused."""
    refused = facts.refuses_in_messages
    if not refused.isdisjoint(message):
        return False
    return not (_SIGNATURE in refused and "tool_calls" in message and _has_signed_calls(message))


def _has_signed_calls(message: Mapping[str, Any]) -> bool:
    calls = message.get("tool_calls")
    return isinstance(calls, list) and any(isinstance(c, dict) and _SIGNATURE in c for c in calls)


def _unsigned(call: Any) -> Any:
    if not isinstance(call, dict):
        return call
    return {name: value for name, value in call.items() if name != _SIGNATURE}


def _ask_for_stream(
    body: dict[str, Any], facts: Facts, dropped: list[str], *, stream: bool
) -> None:
    options = body.pop("stream_options", None) or {}
    if not stream:
        body.pop("stream", None)
        return
    body["stream"] = True
    if facts.asks_for_usage:
        body["stream_options"] = {**options, "include_usage": True}
    elif options.keys() - {"include_usage"}:
        dropped.append("stream_options")


def _cap(body: dict[str, Any], cap: int, name: str) -> None:
    """The lowest of those given, under the name that this server obeys. A caller who gave both to a
    server that obeys the old one knows one that takes both."""
    given = [body[known] for known in (NEW_CAP, OLD_CAP) if body.get(known) is not None]
    cap = min([cap, *given])
    takes_both = name == OLD_CAP and len(given) == 2  # noqa: PLR2004
    for known in (NEW_CAP, OLD_CAP):
        if known == name or takes_both:
            body[known] = cap
        else:
            body.pop(known, None)
    _cap_others(body, cap)


def _cap_others(body: dict[str, Any], cap: int) -> None:
    """None under another name is higher. One that is no count may mean that there is none."""
    for name in _OTHER_CAPS:
        own = body.get(name)
        if own is not None and not (type(own) is int and 0 <= own <= cap):
            body[name] = cap
