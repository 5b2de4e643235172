"""A request in each dialect, with most of what there is; and what its answers must look like."""

from collections.abc import Mapping
from typing import Any

import orjson

_SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "string"}, "b": {"$ref": "#/$defs/b"}},
    "required": ["a"],
    "additionalProperties": False,
    "$defs": {"b": {"anyOf": [{"type": "integer"}, {"type": "null"}]}},
}
_PICTURE = "data:image/png;base64,aGk="
_CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":"b"}'}}

PATHS = {
    "chat": "/v1/chat/completions",
    "responses": "/v1/responses",
    "messages": "/v1/messages",
    "completions": "/v1/completions",
}
REQUESTS: Mapping[str, dict[str, Any]] = {
    "chat": {
        "model": "m",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": [{"type": "text", "text": "Please."}]},
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Hi"},
                    {"type": "image_url", "image_url": {"url": _PICTURE, "detail": "low"}},
                    {"type": "input_audio", "input_audio": {"data": "aGk=", "format": "wav"}},
                    {"type": "file", "file": {"file_data": _PICTURE, "filename": "a.pdf"}},
                ],
            },
            {
                "role": "assistant",
                "content": None,
                "reasoning_content": "Hm.",
                "thinking_blocks": [{"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}],
                "tool_calls": [{**_CALL, "extra_content": {"google": {"thought_signature": "c"}}}],
            },
            {"role": "tool", "tool_call_id": "call_1", "content": "Found."},
            {"role": "user", "name": "x", "content": "And?"},
        ],
        "tools": [
            {
                "type": "function",
                "function": {"name": "f", "description": "F.", "parameters": _SCHEMA},
            }
        ],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "s", "schema": _SCHEMA, "strict": True},
        },
        "max_completion_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "stop": ["END"],
        "n": 1,
        "seed": 7,
        "user": "u",
        "logprobs": True,
        "top_logprobs": 2,
        "logit_bias": {"5": 1},
        "reasoning_effort": "low",
        "metadata": {"a": "b"},
        "presence_penalty": 0.1,
        "frequency_penalty": 0.1,
        "stream_options": {"include_usage": True},
        "prediction": {"type": "content", "content": "Hi"},
        "web_search_options": {},
        "modalities": ["text"],
    },
    "responses": {
        "model": "m",
        "instructions": "Be brief.",
        "input": [
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "Hi"},
                    {"type": "input_image", "image_url": _PICTURE, "detail": "low"},
                    {"type": "input_file", "file_data": _PICTURE, "filename": "a.pdf"},
                ],
            },
            {
                "type": "reasoning",
                "id": "rs_1",
                "summary": [{"type": "summary_text", "text": "Hm."}],
                "encrypted_content": "x",
            },
            {
                "type": "message",
                "role": "assistant",
                "id": "msg_1",
                "status": "completed",
                "content": [{"type": "output_text", "text": "Ho", "annotations": []}],
            },
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": "Found."},
            {"role": "user", "content": "And?"},
        ],
        "tools": [{"type": "function", "name": "f", "parameters": _SCHEMA, "strict": True}],
        "tool_choice": {"type": "function", "name": "f"},
        "text": {"format": {"type": "json_schema", "name": "s", "schema": _SCHEMA}},
        "reasoning": {"effort": "low", "summary": "auto"},
        "max_output_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "metadata": {"a": "b"},
        "parallel_tool_calls": True,
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "truncation": "disabled",
        "user": "u",
    },
    "messages": {
        "model": "m",
        "max_tokens": 5_000,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Hi"},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
                    },
                    {
                        "type": "document",
                        "title": "t",
                        "source": {"type": "text", "media_type": "text/plain", "data": "x"},
                        "citations": {"enabled": True},
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                    {"type": "text", "text": "Ho"},
                    {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}},
                    {
                        "type": "web_search_tool_result",
                        "tool_use_id": "s",
                        "content": [{"type": "web_search_result", "title": "t", "url": "u"}],
                    },
                    {"type": "tool_use", "id": "t", "name": "f", "input": {"a": "b"}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "t",
                        "is_error": True,
                        "content": [{"type": "text", "text": "Found."}],
                    },
                    {"type": "text", "text": "And?"},
                ],
            },
        ],
        "tools": [
            {"name": "f", "description": "F.", "input_schema": _SCHEMA, "strict": True},
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        ],
        "tool_choice": {"type": "auto", "disable_parallel_tool_use": True},
        "thinking": {"type": "enabled", "budget_tokens": 2_000},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": _SCHEMA}},
        "stop_sequences": ["END"],
        "temperature": 1,
        "top_p": 0.9,
        "top_k": 5,
        "metadata": {"user_id": "u"},
    },
    "completions": {
        "model": "m",
        "prompt": ["Say hi."],
        "max_tokens": 20,
        "n": 1,
        "best_of": 1,
        "echo": False,
        "logprobs": 1,
        "stop": "END",
        "suffix": "x",
        "temperature": 0.5,
        "user": "u",
        "stream_options": {"include_usage": True},
    },
}


def request(dialect: str, kind: str, *, stream: bool) -> dict[str, Any]:
    body = {**REQUESTS[dialect], "model": kind, "stream": stream}
    if not stream:
        body.pop("stream_options", None)
    return body


def is_error(dialect: str, body: Any) -> bool:
    """In the dialect's shape."""
    error = body.get("error")
    if not isinstance(error, dict) or not isinstance(error.get("message"), str):
        return False
    if dialect == "messages":
        return body["type"] == "error" and isinstance(error["type"], str) and "request_id" in body
    return error.keys() >= {"message", "type", "param", "code"}


def is_answer(dialect: str, body: Any) -> bool:
    match dialect:
        case "messages":
            return isinstance(body["content"], list)
        case "responses":
            return isinstance(body["output"], list)
        case "completions":
            return isinstance(body["choices"], list)
    return all(isinstance(choice["message"], dict) for choice in body["choices"])


def how_it_ends(dialect: str, raw: bytes) -> str:
    """Of a stream: `well`, or in an `error`; nothing may follow either. Fails for one that just
    stops, or that is no stream in the dialect."""
    events = [_read(block) for block in raw.split(b"\n\n") if block]
    assert events
    assert raw.endswith(b"\n\n")
    ends = [how for event in events if (how := _ends(dialect, *event)) is not None]
    last = _ends(dialect, *events[-1])
    assert last is not None, "it just stops"
    if dialect == "responses" and last == "error" and len(ends) == 2:
        ends.pop(0)  # it is told twice, for clients that look for one or the other
    assert ends == [last]
    return last


def _read(block: bytes) -> tuple[str, Any]:
    lines = block.split(b"\n")
    name = b"".join(line[7:] for line in lines if line.startswith(b"event: ")).decode()
    (data,) = [line[6:] for line in lines if line.startswith(b"data: ")]
    return name, None if data == b"[DONE]" else orjson.loads(data)


def _ends(dialect: str, name: str, data: Any) -> str | None:
    if data is None:
        return "well"
    if dialect in ("chat", "completions"):
        return "error" if is_error(dialect, data) else None
    kind = data.get("type")
    assert name == (kind if isinstance(kind, str) and kind.isprintable() else "") or not name
    if kind == "error":
        assert is_error(dialect, data)
    if kind in ("error", "response.failed"):
        return "error"
    return "well" if kind in ("message_stop", "response.completed", "response.incomplete") else None
