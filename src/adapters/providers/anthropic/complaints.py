"""https://platform.claude.com/docs/en/api/errors: `{"type": "error", "error": {type, message}}`.
The message begins with the field that is at fault."""

import re
from collections.abc import Mapping
from typing import Any

from ...wire.codec import Complaint, as_text

_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
# What the operator has to mend is told with 400, too:
# https://github.com/continuedev/continue/issues/5499
_NOT_THE_CALLERS = {
    "Your credit balance is too low": 402,
    "You have reached your specified API usage limits": 402,
    "This organization has been disabled": 403,
}
_PLACE = re.compile(r"([a-z_]+(?:\.[a-z0-9_]+)*): ")
# As the caller wrote it.
_OWN_NAMES = {
    "stop_sequences": "stop",
    "system": "messages",
    "output_config": "response_format",
    "input_schema": "parameters",
}


def complaint(body: Mapping[str, Any]) -> Complaint:
    error = body.get("error")
    if not isinstance(error, dict):
        message = error if isinstance(error, str) else body.get("message")
        return Complaint(message=as_text(message))
    kind, message = as_text(error.get("type")), as_text(error.get("message"))
    return Complaint(
        message=message,
        param=_place(message or "") if kind == "invalid_request_error" else None,
        code=_own_code(error) or kind,
        status=_status(kind or "", message or ""),
    )


def _own_code(error: Mapping[str, Any]) -> str | None:
    """What a client of its own goes by, where the kind of error is not enough."""
    details = error.get("details")
    return as_text(details.get("error_code")) if isinstance(details, dict) else None


def _status(kind: str, message: str) -> int | None:
    for said, status in _NOT_THE_CALLERS.items():
        if message.startswith(said):
            return status
    return _STATUSES.get(kind)


def _place(message: str) -> str | None:
    found = _PLACE.match(message)
    if found is None:
        return None
    first, *rest = found[1].split(".")
    return ".".join([_OWN_NAMES.get(first, first), *rest])
