"""A small answer in each format that providers speak: text, thoughts, two calls, and usage."""

from collections.abc import Mapping, Sequence
from typing import Any

Events = Sequence[tuple[bytes, Any]]
"""Name and data: JSON, or bytes as they are."""

_CALLS = [
    {"id": f"call_{city}", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    for city in ("a", "b")
]
_HEAD = {"id": "chatcmpl-1", "created": 1_780_000_000, "model": "m"}
_USAGE = {
    "prompt_tokens": 12,
    "completion_tokens": 9,
    "total_tokens": 21,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 2},
}
_PROBABILITIES = {"content": [{"token": "Hi", "logprob": -0.5, "bytes": [72], "top_logprobs": []}]}


def _chunk(delta: dict[str, Any], reason: str | None = None, **more: Any) -> tuple[bytes, Any]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason, **more}
    return b"", {**_HEAD, "object": "chat.completion.chunk", "choices": [choice]}


_CHAT = {
    **_HEAD,
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hi",
                "reasoning_content": "Hm.",
                "refusal": None,
                "annotations": [{"type": "url_citation", "url_citation": {"url": "u"}}],
                "tool_calls": _CALLS,
            },
            "logprobs": _PROBABILITIES,
            "finish_reason": "tool_calls",
        }
    ],
    "usage": _USAGE,
}
_CHAT_EVENTS: Events = [
    _chunk({"role": "assistant", "content": "", "refusal": None}),
    _chunk({"reasoning_content": "Hm."}),
    _chunk({"content": "Hi"}, logprobs=_PROBABILITIES),
    *(_chunk({"tool_calls": [{"index": n, **call}]}) for n, call in enumerate(_CALLS)),
    _chunk({"tool_calls": [{"index": 1, "function": {"arguments": " "}}]}),
    _chunk({}, "tool_calls"),
    (b"", {**_HEAD, "object": "chat.completion.chunk", "choices": [], "usage": _USAGE}),
    (b"", b"[DONE]"),
]

_MESSAGE: dict[str, Any] = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "c2ln"},
        {
            "type": "text",
            "text": "Hi",
            "citations": [{"type": "char_location", "cited_text": "x", "document_index": 0}],
        },
        {"type": "tool_use", "id": "toolu_a", "name": "f", "input": {}},
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 8, "cache_read_input_tokens": 4, "output_tokens": 9},
}


def _named(kind: str, **fields: Any) -> tuple[bytes, Any]:
    return kind.encode(), {"type": kind, **fields}


def _block(index: int, empty: dict[str, Any], *deltas: dict[str, Any]) -> Events:
    return [
        _named("content_block_start", index=index, content_block=empty),
        *(_named("content_block_delta", index=index, delta=delta) for delta in deltas),
        _named("content_block_stop", index=index),
    ]


_MESSAGE_EVENTS: Events = [
    _named("message_start", message={**_MESSAGE, "content": [], "stop_reason": None}),
    _named("ping"),
    *_block(
        0,
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "thinking_delta", "thinking": "Hm."},
        {"type": "signature_delta", "signature": "c2ln"},
    ),
    *_block(1, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"}),
    *_block(
        2,
        {"type": "tool_use", "id": "toolu_a", "name": "f", "input": {}},
        {"type": "input_json_delta", "partial_json": "{}"},
    ),
    _named(
        "message_delta",
        delta={"stop_reason": "tool_use", "stop_sequence": None},
        usage={"output_tokens": 9},
    ),
    _named("message_stop"),
]


def _gemini(parts: list[dict[str, Any]], reason: str | None) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
    if reason is not None:
        candidate |= {"finishReason": reason, "groundingMetadata": {"webSearchQueries": ["x"]}}
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": 12,
            "candidatesTokenCount": 7,
            "thoughtsTokenCount": 2,
            "totalTokenCount": 21,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}],
        },
        "modelVersion": "m",
        "responseId": "r",
    }


_GEMINI_PARTS: list[dict[str, Any]] = [
    {"text": "Hm.", "thought": True},
    {"text": "Hi", "thoughtSignature": "c2ln"},
    {"functionCall": {"name": "f", "args": {}, "id": "a"}, "thoughtSignature": "c2ln"},
    {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
    {"executableCode": {"language": "PYTHON", "code": "1"}},
]
_GEMINI_EVENTS: Events = [
    *((b"", _gemini([part], None)) for part in _GEMINI_PARTS),
    (b"", _gemini([{"text": ""}], "STOP")),
]

_TEXT = {
    "id": "cmpl-1",
    "object": "text_completion",
    "created": 1_780_000_000,
    "model": "m",
    "choices": [{"index": 0, "text": "Hi", "logprobs": None, "finish_reason": "stop"}],
}
_TEXT_EVENTS: Events = [
    (b"", _TEXT),
    (b"", {**_TEXT, "choices": [], "usage": _USAGE}),
    (b"", b"[DONE]"),
]

_SAID = {"type": "output_text", "text": "Hi", "annotations": [], "logprobs": []}
_ITEM = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed"}
_RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1_780_000_000,
    "status": "completed",
    "model": "m",
    "output": [{**_ITEM, "content": [_SAID]}],
    "usage": {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 4},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 2},
        "total_tokens": 21,
    },
}
_PLACE = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
_TOLD: Sequence[tuple[str, dict[str, Any]]] = [
    ("created", {"response": {**_RESPONSE, "status": "in_progress", "output": []}}),
    ("output_item.added", {"output_index": 0, "item": {**_ITEM, "content": []}}),
    ("output_text.delta", {**_PLACE, "delta": "Hi", "logprobs": []}),
    ("output_item.done", {"output_index": 0, "item": {**_ITEM, "content": [_SAID]}}),
    ("completed", {"response": _RESPONSE}),
]
_RESPONSE_EVENTS: Events = [
    _named(f"response.{kind}", sequence_number=number, **fields)
    for number, (kind, fields) in enumerate(_TOLD)
]

WHOLE: Mapping[str, Any] = {
    "chat": _CHAT,
    "messages": _MESSAGE,
    "gemini": _gemini(_GEMINI_PARTS, "STOP"),
    "completions": {**_TEXT, "usage": _USAGE},
    "responses": _RESPONSE,
}
EVENTS: Mapping[str, Events] = {
    "chat": _CHAT_EVENTS,
    "messages": _MESSAGE_EVENTS,
    "gemini": _GEMINI_EVENTS,
    "completions": _TEXT_EVENTS,
    "responses": _RESPONSE_EVENTS,
}
