"""Google's errors: `{"error": {code, message, status, details}}`, whose details are typed.

https://cloud.google.com/apis/design/errors and https://ai.google.dev/gemini-api/docs/troubleshooting
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...wire.codec import Complaint, as_text

_ERROR_STATUSES = range(400, 600)
# A bad key, and a country or a project that Google does not serve, are told with 400 like a bad
# request; but it is not the caller's, and another provider may well take it.
_BAD_KEYS = frozenset({"API_KEY_INVALID", "API_KEY_EXPIRED", "API_KEY_SERVICE_BLOCKED"})
_UNSERVED = "FAILED_PRECONDITION"
# As the caller wrote it: the step behind `generation_config`, or the first.
_OWN_NAMES = {
    "contents": "messages",
    "system_instruction": "messages",
    "tool_config": "tool_choice",
    "max_output_tokens": "max_completion_tokens",
    "stop_sequences": "stop",
    "candidate_count": "n",
    "response_json_schema": "response_format",
    "response_schema": "response_format",
    "response_mime_type": "response_format",
    "response_modalities": "modalities",
    "response_logprobs": "logprobs",
    "thinking_config": "reasoning_effort",
}
_FIRST_STEP = re.compile(r"[A-Za-z_]*")


def complaint(body: Mapping[str, Any]) -> Complaint:
    error = body.get("error")
    if not isinstance(error, dict):
        return Complaint(message=as_text(error) or as_text(body.get("message")))
    details = error.get("details")
    told = [d for d in details if isinstance(d, dict)] if isinstance(details, list) else []
    return Complaint(
        message=as_text(error.get("message")),
        param=next(_fields(told), None),
        code=as_text(error.get("status")),
        status=_status(error, told),
        retry_after_s=next(_delays(told), None),
    )


def _status(error: Mapping[str, Any], details: list[dict[str, Any]]) -> int | None:
    if any(isinstance(r := detail.get("reason"), str) and r in _BAD_KEYS for detail in details):
        return 401
    if error.get("status") == _UNSERVED:
        return 403
    code = error.get("code")
    return code if type(code) is int and code in _ERROR_STATUSES else None


def _fields(details: list[dict[str, Any]]) -> Iterator[str]:
    """Of BadRequest: https://github.com/googleapis/googleapis/blob/master/google/rpc/error_details.proto"""
    for detail in details:
        violations = detail.get("fieldViolations")
        for violation in violations if isinstance(violations, list) else ():
            field = violation.get("field") if isinstance(violation, dict) else None
            if isinstance(field, str) and field:
                name = field.removeprefix("generation_config.")
                first = _FIRST_STEP.match(name)
                yield _OWN_NAMES.get(first[0] if first else name, name)


def _delays(details: list[dict[str, Any]]) -> Iterator[float]:
    """Of RetryInfo: a duration such as `34.07s`."""
    for detail in details:
        delay = detail.get("retryDelay")
        if isinstance(delay, str) and delay.endswith("s"):
            try:
                yield float(delay.removesuffix("s"))
            except ValueError:
                continue
