"""What Anthropic refuses, in its words. Fields: https://platform.claude.com/docs/en/api/messages,
as the `anthropic` package 2.13 has them, and those of older models and betas. The order of tool
results: https://platform.claude.com/docs/en/agents-and-tools/tool-use/handle-tool-calls."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

REQUEST_FIELDS = frozenset(
    {
        *("model", "messages", "max_tokens", "cache_control", "container", "inference_geo"),
        *("metadata", "output_config", "service_tier", "stop_sequences", "stream", "system"),
        *("temperature", "thinking", "tool_choice", "tools", "top_k", "top_p"),
        *("diagnostics", "speed", "user_profile_id", "workspace_id"),
        *("mcp_servers", "context_management"),
    }
)
BLOCK_FIELDS = {
    "text": {"text", "citations"},
    "image": {"source", "transformations"},
    "document": {"source", "title", "context", "citations"},
    "thinking": {"thinking", "signature"},
    "redacted_thinking": {"data"},
    "tool_use": {"id", "name", "input", "caller", "toolset_name"},
    "tool_result": {"tool_use_id", "content", "is_error", "toolset_name"},
}
TOOL_FIELDS = frozenset(
    {
        *("type", "name", "description", "input_schema", "strict", "cache_control"),
        *("allowed_callers", "defer_loading", "eager_input_streaming", "input_examples"),
    }
)
_ASSISTANTS = frozenset({"text", "thinking", "redacted_thinking", "tool_use"})
_TOOL_ID = re.compile(r"[a-zA-Z0-9_-]+")
_EXTRA = "Extra inputs are not permitted"
_MIN_BUDGET = 1_024


def fault(body: Mapping[str, Any]) -> str | None:
    """The first one."""
    return next(_faults(body), None)


def _faults(body: Mapping[str, Any]) -> Iterator[str]:
    for name in ("model", "max_tokens", "messages"):
        if name not in body:
            yield f"{name}: Field required"
    if body["max_tokens"] < 1:
        yield "max_tokens: Input should be greater than or equal to 1"
    for name in sorted(body.keys() - REQUEST_FIELDS):
        yield f"{name}: {_EXTRA}"
    yield from _value_faults(body)
    yield from _thinking_faults(body)
    yield from _tool_faults(body)
    yield from _message_faults(body["messages"])
    yield from _order_faults(body["messages"])


def _value_faults(body: Mapping[str, Any]) -> Iterator[str]:
    if not 0 <= body.get("temperature", 1) <= 1:
        yield "temperature: range: 0..1"
    if {"temperature", "top_p"} <= body.keys():
        yield "`temperature` and `top_p` cannot both be specified for this model."
    for name in body.get("metadata", {}).keys() - {"user_id"}:
        yield f"metadata.{name}: {_EXTRA}"
    for index, text in enumerate(body.get("stop_sequences", ())):
        if not text.strip():
            yield f"stop_sequences.{index}: each stop sequence must contain non-whitespace"
    for index, block in enumerate(_listed(body.get("system", []))):
        if block.get("type") != "text":
            yield f"system.{index}.type: Input should be 'text'"
        yield from _block_faults(f"system.{index}", block)


def _thinking_faults(body: Mapping[str, Any]) -> Iterator[str]:
    thinking = body.get("thinking", {})
    budget = thinking.get("budget_tokens")
    if thinking.get("type") == "enabled":
        if budget is None or budget < _MIN_BUDGET:
            yield "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024"
        elif budget >= body["max_tokens"]:
            yield "`max_tokens` must be greater than `thinking.budget_tokens`."
        if body.get("tool_choice", {}).get("type") in {"any", "tool"}:
            yield "Thinking may not be enabled when tool_choice forces tool use."
    if thinking.get("type") in {"enabled", "adaptive"} and body.get("temperature", 1) != 1:
        yield "`temperature` may only be set to 1 when thinking is enabled."


def _tool_faults(body: Mapping[str, Any]) -> Iterator[str]:
    for index, tool in enumerate(body.get("tools", ())):
        if tool.get("type", "custom") != "custom":
            continue
        if tool.get("input_schema", {}).get("type") != "object":
            yield f"tools.{index}.custom.input_schema.type: Field required"
        for name in tool.keys() - TOOL_FIELDS:
            yield f"tools.{index}.custom.{name}: {_EXTRA}"
    if "tool_choice" in body and not body.get("tools"):
        yield "tool_choice: tool_choice may only be specified while providing tools"
    said = [block for m in body["messages"] for block in _listed(m["content"])]
    if any(block["type"] == "tool_use" for block in said) and not body.get("tools"):
        yield "Requests which include `tool_use` or `tool_result` blocks must define tools"


def _message_faults(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not messages:
        yield "messages: at least one message is required"
    elif messages[0]["role"] != "user":
        yield 'messages: first message must use the "user" role'
    for index, message in enumerate(messages):
        place, role = f"messages.{index}", message.get("role")
        if role not in {"user", "assistant"}:
            yield f'{place}.role: Input should be "user" or "assistant"'
        for name in message.keys() - {"role", "content"}:
            yield f"{place}.{name}: {_EXTRA}"
        content = _listed(message["content"])
        if not content and index < len(messages) - 1:
            yield f"{place}: all messages must have non-empty content"
        for number, block in enumerate(content):
            yield from _block_faults(f"{place}.content.{number}", block)
            if role == "assistant" and block["type"] not in _ASSISTANTS:
                yield f"{place}.content.{number}: {block['type']} is the user's"


def _order_faults(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    open_calls: list[str] = []
    for index, message in enumerate(messages):
        content = _listed(message["content"])
        yield from _result_faults(f"messages.{index}", content, open_calls)
        open_calls = [block["id"] for block in content if block["type"] == "tool_use"]
    if open_calls:
        yield f"messages: `tool_use` ids were found without `tool_result` blocks: {open_calls}"
    last = messages[-1]
    if last["role"] == "assistant" and _listed(last["content"])[-1].get("text", "x")[-1].isspace():
        yield "messages: final assistant content cannot end with trailing whitespace"


def _result_faults(
    place: str, content: Sequence[Mapping[str, Any]], open_calls: Sequence[str]
) -> Iterator[str]:
    answered = [block["tool_use_id"] for block in content if block["type"] == "tool_result"]
    for call in answered:
        if call not in open_calls:
            yield f"{place}: unexpected `tool_use_id` found in `tool_result` blocks: {call}"
    if missing := [call for call in open_calls if call not in answered]:
        yield f"{place}: `tool_use` ids without `tool_result` blocks immediately after: {missing}"
    if any(block["type"] != "tool_result" for block in content[: len(answered)]):
        yield f"{place}: tool_result blocks must come first"


def _block_faults(place: str, block: Mapping[str, Any]) -> Iterator[str]:
    kind = block.get("type")
    known = BLOCK_FIELDS.get(kind) if isinstance(kind, str) else None
    if known is None:
        yield f"{place}: Input tag {kind!r} found using 'type' does not match"
        return
    for name in block.keys() - known - {"type", "cache_control"}:
        yield f"{place}.{kind}.{name}: {_EXTRA}"
    if kind == "text" and not block["text"].strip():
        yield f"{place}: text content blocks must contain non-whitespace text"
    if kind == "tool_use" and not isinstance(block["input"], dict):
        yield f"{place}.tool_use.input: Input should be a valid dictionary"
    for name in ("id", "tool_use_id"):
        if name in block and not _TOOL_ID.fullmatch(block[name]):
            yield f"{place}.{kind}.{name}: String should match pattern '^[a-zA-Z0-9_-]+$'"


def _listed(content: Any) -> Sequence[Mapping[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
