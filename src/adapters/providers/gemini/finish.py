"""https://ai.google.dev/api/generate-content#FinishReason"""

from typing import Any

_LENGTH = "MAX_TOKENS"
_UNFINISHED = "FINISH_REASON_UNSPECIFIED"
_FILTERED = frozenset(
    {"SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "OTHER"}
    | {"IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "IMAGE_OTHER", "NO_IMAGE"}
)
# The model wrote a call that cannot be read, or went astray with its tools: that is no answer, and
# another attempt, or another provider, may well give one.
_FAILED = frozenset(
    {"MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"}
    | {"MALFORMED_RESPONSE", "MISSING_THOUGHT_SIGNATURE"}
)


def finish_reason(candidate: dict[str, Any], *, has_calls: bool) -> str | None:
    """None where the candidate is not finished. A reason that is not known yet is none to fail."""
    told = candidate.get("finishReason")
    if not isinstance(told, str) or told == _UNFINISHED:
        return None
    if told == _LENGTH:
        return "length"
    if told in _FILTERED:
        return "content_filter"
    if told in _FAILED:
        return "error"
    return "tool_calls" if has_calls else "stop"


def blocked(body: dict[str, Any]) -> str | None:
    """Why the prompt was not answered at all, in words: there are no candidates then.
    https://ai.google.dev/api/generate-content#PromptFeedback"""
    feedback = body.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    if not isinstance(reason, str) or not isinstance(feedback, dict):
        return None
    message = feedback.get("blockReasonMessage")
    said = message if isinstance(message, str) and message else f"The prompt was blocked: {reason}."
    return said if not body.get("candidates") else None
