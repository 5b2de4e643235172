"""What Mistral refuses. Fields: https://docs.mistral.ai/api/#tag/chat, as the `mistralai` package
3.7 has them. Order: https://github.com/mistralai/mistral-common, `validator.py`."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

REQUEST_FIELDS = frozenset(
    {
        *("model", "messages", "temperature", "top_p", "max_tokens", "stream", "stop"),
        *("random_seed", "metadata", "response_format", "tools", "tool_choice"),
        *("presence_penalty", "frequency_penalty", "min_tokens", "repetition_penalty", "top_k"),
        *("logprobs", "top_logprobs", "prompt_logprobs", "top_prompt_logprobs", "n"),
        *("prediction", "parallel_tool_calls", "reasoning_effort", "prompt_mode", "guardrails"),
        *("prompt_cache_key", "service_tier", "safe_prompt"),
    }
)
MESSAGE_FIELDS = {
    "system": frozenset({"role", "content"}),
    "user": frozenset({"role", "content"}),
    "assistant": frozenset({"role", "content", "tool_calls", "prefix"}),
    "tool": frozenset({"role", "content", "tool_call_id", "name"}),
}
_MAY_FOLLOW = {
    "system": {"user", "assistant", "system"},
    "user": {"assistant", "system", "user"},
    "assistant": {"assistant", "user", "tool"},
    "tool": {"assistant", "tool"},
}
_EXTRA = "Extra inputs are not permitted"
_UNANSWERED = "Not the same number of function calls and responses"
_TOOL_ID = re.compile(r"[a-zA-Z0-9]{9}")


def schema_faults(body: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"type": kind, "loc": ["body", *place], "msg": message, "input": None}
        for kind, place, message in _faults(body)
    ]


def _faults(body: Mapping[str, Any]) -> Iterator[tuple[str, list[str | int], str]]:
    for name in body.keys() - REQUEST_FIELDS:
        yield "extra_forbidden", [name], _EXTRA
    for index, message in enumerate(body["messages"]):
        place: list[str | int] = ["messages", index]
        fields = MESSAGE_FIELDS.get(message.get("role"))
        if fields is None:
            yield "union_tag_invalid", place, "Input tag does not match any of the expected tags"
            continue
        for name in message.keys() - fields:
            yield "extra_forbidden", [*place, message["role"], name], _EXTRA
    for index, tool in enumerate(body.get("tools") or ()):
        if "parameters" not in tool.get("function", {}):
            yield "missing", ["tools", index, "function", "parameters"], "Field required"
    if body.get("service_tier") not in {None, "auto", "standard_only"}:
        yield "literal_error", ["service_tier"], "Input should be 'auto' or 'standard_only'"


def order_fault(messages: Sequence[Mapping[str, Any]]) -> str | None:
    return next(_order_faults(messages), None)


def _order_faults(messages: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    before, calls = None, 0
    for message in messages:
        role, made = message["role"], message.get("tool_calls") or ()
        if before is not None and role not in _MAY_FOLLOW[before]:
            yield f"Unexpected role '{role}' after role '{before}'"
        if role == "assistant":
            if calls:
                yield _UNANSWERED
            yield from _assistant_faults(message, is_last=message is messages[-1])
        calls += len(made) - (role == "tool")
        answered = [message.get("tool_call_id")] if role == "tool" else []
        for call_id in [*answered, *(call.get("id") for call in made)]:
            if not _TOOL_ID.fullmatch(str(call_id)):
                yield f"Tool call id was {call_id} but must be a-z, A-Z, 0-9, with a length of 9."
        before = role
    if calls:
        yield _UNANSWERED
    if before == "system" and len(messages) > 1:
        yield "Expected last role User or Tool for serving but got system"


def _assistant_faults(message: Mapping[str, Any], *, is_last: bool) -> Iterator[str]:
    if not message.get("content") and not message.get("tool_calls"):
        yield "Assistant message must have either content or tool_calls, but not none."
    if message.get("prefix") and not is_last:
        yield "Assistant message with prefix True must be last message"
    if is_last and not message.get("prefix"):
        yield "Expected last role User or Tool (or Assistant with prefix True) for serving"
