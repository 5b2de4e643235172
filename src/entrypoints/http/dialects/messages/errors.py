"""https://docs.anthropic.com/en/api/errors"""

from typing import Any

from ...errors import Answer

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    408: "timeout_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
# Nobody who is asked can take it, or it has no bound and a limit has to hold.
_NOT_TAKEN = frozenset({"unsupported_parameter", "unbounded_request"})
_UNKNOWN_MODEL, _PAST_CONTEXT = "model_not_found", "context_length_exceeded"
# What Anthropic says of it, which its clients search for, to shorten the conversation.
_CONTEXT_SIGNS = ("prompt is too long", "exceed context limit")
_OWN_FAULT = 500
THREAD = "thread"
# By these, in `details`, its clients know to send the whole conversation instead; the first is for
# who keeps none: `anthropic/lib/threads/_thread_state.py` of the package 2.13.
_NO_THREADS = "thread_unsupported_request"
_OF_THREADS = frozenset(
    {_NO_THREADS, "thread_not_found", "thread_already_continued", "thread_continue_in_flight"}
)


def error_body(message: str, answer: Answer) -> dict[str, Any]:
    """An unknown model keeps the gateway's status, and has Anthropic's type. The request's id is
    filled in where it is known."""
    kind = _TYPES.get(answer.status)
    if answer.code == _UNKNOWN_MODEL:
        kind = "not_found_error"
    elif kind is None:
        kind = "api_error" if answer.status >= _OWN_FAULT else "invalid_request_error"
    if answer.code == _PAST_CONTEXT and not any(sign in message for sign in _CONTEXT_SIGNS):
        message = f"{_CONTEXT_SIGNS[0]}: {message}"
    error: dict[str, Any] = {"type": kind, "message": message}
    code = _NO_THREADS if answer.param == THREAD and answer.code in _NOT_TAKEN else answer.code
    if code in _OF_THREADS:
        error["details"] = {"error_code": code}
    return {"type": "error", "error": error, "request_id": None}
