"""Answers as the OpenAI format requires them, where an upstream is careless.

https://github.com/openai/openai-openapi: `logprobs` and `refusal` must be there and may be null;
`tool_calls`, `function_call`, `annotations`, `system_fingerprint` and a whole answer's `usage` may
be left out, but not be null.
"""

from collections.abc import Iterator
from typing import Any

from .malformed import Malformed
from .mended import finish_reason, mend_answer, mend_probabilities, mend_said

_NEVER_NULL = ("tool_calls", "function_call", "annotations")


def well_formed_reply(body: dict[str, Any], *, keeps_parts: bool = False) -> dict[str, Any]:
    """Raises Malformed where it cannot be put right: no choices, or one without a message.
    With `keeps_parts`, content that is a list stays one."""
    body["object"] = "chat.completion"
    _drop_null(body, "system_fingerprint")
    _drop_null(body, "usage")
    mend_answer(body)
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
        mend_said(message, whole=True, keeps_parts=keeps_parts)
        choice.setdefault("logprobs", None)
        mend_probabilities(choice)
        reason = choice.get("finish_reason")
        choice["finish_reason"] = finish_reason(reason) if isinstance(reason, str) else "stop"
    return body


def well_formed_chunk(body: dict[str, Any], *, keeps_parts: bool = False) -> dict[str, Any]:
    """Raises Malformed where its choices are not choices. One without any is given an empty list,
    as chunks that only tell usage have it."""
    body["object"] = "chat.completion.chunk"
    _drop_null(body, "system_fingerprint")
    mend_answer(body)
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
        if len(delta) != 1 or type(delta.get("content")) is not str:  # most have only their text
            for name in _NEVER_NULL:
                _drop_null(delta, name)
            mend_said(delta, whole=False, keeps_parts=keeps_parts)
        _mend_end(choice)
    return body


def _mend_end(choice: dict[str, Any]) -> None:
    if choice.get("logprobs") is not None:
        mend_probabilities(choice)
    reason = choice.setdefault("finish_reason", None)
    if reason is None or reason == "":
        # Empty before the end, in Together's words: https://github.com/togethercomputer/
        # together-python/blob/main/src/together/types/common.py
        choice["finish_reason"] = None
        return
    if not isinstance(reason, str):
        raise Malformed("a choice's finish_reason is not a text")
    choice["finish_reason"] = finish_reason(reason)


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
