"""Answers as the OpenAI format requires them, where an upstream is careless.

https://github.com/openai/openai-openapi: `logprobs` and `refusal` must be there and may be null;
`tool_calls`, `function_call`, `annotations`, `system_fingerprint` and a whole answer's `usage` may
be left out, but not be null.
"""

from collections.abc import Iterator
from typing import Any

from .malformed import Malformed

_NEVER_NULL = ("tool_calls", "function_call", "annotations")


def well_formed_reply(body: dict[str, Any]) -> dict[str, Any]:
    """Raises Malformed where it cannot be put right: no choices, or one without a message."""
    body["object"] = "chat.completion"
    _drop_null(body, "system_fingerprint")
    _drop_null(body, "usage")
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Malformed("it has no choices")
    for choice in _choices(choices):
        message = choice.get("message")
        if not isinstance(message, dict):
            raise Malformed("a choice has no message")
        for name in _NEVER_NULL:
            _drop_null(message, name)
        message["role"] = "assistant"
        message.setdefault("content", None)
        message.setdefault("refusal", None)
        choice.setdefault("logprobs", None)
        if not isinstance(choice.get("finish_reason"), str):
            choice["finish_reason"] = "stop"
    return body


def well_formed_chunk(body: dict[str, Any]) -> dict[str, Any]:
    """Raises Malformed where its choices are not choices. One without any is given an empty list,
    as chunks that only tell usage have it."""
    body["object"] = "chat.completion.chunk"
    _drop_null(body, "system_fingerprint")
    choices = body.get("choices")
    if choices is None:
        choices = body["choices"] = []
    if not isinstance(choices, list):
        raise Malformed("its choices are not a list")
    for choice in _choices(choices):
        delta = choice.get("delta")
        if delta is None:
            delta = choice["delta"] = {}
        if not isinstance(delta, dict):
            raise Malformed("a choice's delta is not an object")
        if len(delta) > 1:  # most have nothing but their text
            for name in _NEVER_NULL:
                _drop_null(delta, name)
        if not isinstance(choice.setdefault("finish_reason", None), str | None):
            raise Malformed("a choice's finish_reason is not a text")
    return body


def _choices(choices: list[Any]) -> Iterator[dict[str, Any]]:
    for index, choice in enumerate(choices):
        if not isinstance(choice, dict):
            raise Malformed("a choice is not an object")
        if type(choice.get("index")) is not int:
            choice["index"] = index
        yield choice


def _drop_null(values: dict[str, Any], name: str) -> None:
    if name in values and values[name] is None:
        del values[name]
