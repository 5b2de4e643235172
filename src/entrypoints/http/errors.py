"""The one place where an error becomes an HTTP answer, in OpenAI's shape.

https://platform.openai.com/docs/guides/error-codes
"""

import logging
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.exceptions import HTTPException

from ...domain import errors
from ...domain.attempts import told
from ...domain.limits import Measure

_NS = 10**9
_NEVER_FITS_S = 60
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`retry` tells a client library whether asking again can help; None leaves it to the status.
    `retry_after_s` is how long to wait."""

    status: int
    type: str
    code: str | None = None
    param: str | None = None
    retry: bool | None = None
    retry_after_s: float | None = None


def _rejected(error: errors.RejectedByProvider) -> Answer:
    return Answer(
        status=413 if error.status == 413 else 400,  # noqa: PLR2004
        type="invalid_request_error",
        code=error.code,
        param=error.param,
    )


def _limit_reached(error: errors.LimitReached) -> Answer:
    wait_ns = error.refusal.retry_after_ns
    if error.refusal.limit.is_budget:
        # Client libraries hammer on unless they are told not to.
        return Answer(
            status=429,
            type="insufficient_quota",
            code="insufficient_quota",
            retry=False,
            retry_after_s=None if wait_ns is None else wait_ns / _NS,
        )
    is_tokens = error.refusal.limit.measure is Measure.TOKENS
    return Answer(
        status=429,
        type="tokens" if is_tokens else "requests",
        code="rate_limit_exceeded",
        retry=None if wait_ns is not None else False,
        retry_after_s=_NEVER_FITS_S if wait_ns is None else wait_ns / _NS,
    )


def _all_failed(error: errors.AllTargetsFailed) -> Answer:
    return answer_for(error.last)


_REFUSED = {408: 504, 429: 429, 503: 503, 504: 504, 529: 503}
# What a repetition cannot mend: the operator must.
_LASTING = frozenset({401, 402, 403, 404})


def _refused(error: errors.ProviderRefused) -> Answer:
    status = _REFUSED.get(error.status, 502)
    limited = status == 429  # noqa: PLR2004
    return Answer(
        status=status,
        type="requests" if limited else "server_error",
        code="rate_limit_exceeded" if limited else "provider_error",
        retry=False if error.status in _LASTING else None,
        retry_after_s=error.retry_after_s,
    )


def _provider(status: int, code: str, *, retry: bool | None = None) -> Answer:
    return Answer(status=status, type="server_error", code=code, retry=retry)


_INVALID = "invalid_request_error"
TABLE: Mapping[type[errors.GatewayError], Callable[[Any], Answer]] = {
    errors.InvalidRequest: lambda e: Answer(status=400, type=_INVALID, param=e.param),
    errors.UnsupportedField: lambda e: Answer(
        status=400, type=_INVALID, code="unsupported_parameter", param=e.param
    ),
    errors.UnboundedField: lambda e: Answer(
        status=400, type=_INVALID, code="unbounded_request", param=e.param
    ),
    errors.IdempotencyKeyReused: lambda _: Answer(
        status=422, type=_INVALID, code="idempotency_key_reused"
    ),
    errors.IdempotencyKeyInUse: lambda _: Answer(
        status=409, type=_INVALID, code="idempotency_key_in_use", retry_after_s=1
    ),
    errors.AlreadyRunning: lambda _: Answer(
        status=409, type=_INVALID, code="already_running", retry_after_s=5
    ),
    errors.RequestTooLarge: lambda _: Answer(status=413, type=_INVALID, code="request_too_large"),
    errors.Unauthenticated: lambda e: Answer(status=401, type=_INVALID, code=e.code),
    errors.UnknownModel: lambda _: Answer(
        status=400, type=_INVALID, code="model_not_found", param="model"
    ),
    errors.NotFound: lambda _: Answer(status=404, type=_INVALID, code="not_found"),
    errors.RejectedByProvider: _rejected,
    errors.Forbidden: lambda e: Answer(
        status=403, type="permission_error", code="forbidden", param=e.param
    ),
    errors.LimitReached: _limit_reached,
    errors.Unpriced: lambda _: Answer(
        status=403, type="permission_error", code="model_unpriced", param="model"
    ),
    errors.ProviderRefused: _refused,
    errors.ProviderUnreachable: lambda _: _provider(502, "provider_unreachable"),
    errors.ProviderTimedOut: lambda _: _provider(504, "provider_timeout"),
    errors.ProviderBrokeOff: lambda _: _provider(502, "provider_broke_off"),
    errors.ProviderUndefined: lambda _: _provider(502, "provider_undefined", retry=False),
    errors.OperationUnsupported: lambda _: _provider(501, "unsupported_operation", retry=False),
    errors.CredentialMissing: lambda _: _provider(502, "credential_missing", retry=False),
    errors.CredentialUnreadable: lambda _: _provider(502, "credential_unreadable", retry=False),
    errors.AllTargetsFailed: _all_failed,
    errors.StoreUnavailable: lambda _: Answer(
        status=503, type="server_error", code="store_unavailable", retry_after_s=1
    ),
    errors.LedgerFull: lambda _: Answer(
        status=503, type="server_error", code="ledger_unavailable", retry_after_s=5
    ),
    errors.ShuttingDown: lambda _: Answer(
        status=503, type="server_error", code="shutting_down", retry_after_s=1
    ),
}

_UNEXPECTED = Answer(status=500, type="server_error", code="internal_error")
_UNEXPECTED_MESSAGE = "The gateway had an error while processing your request."


def answer_for(error: errors.GatewayError) -> Answer:
    for kind in type(error).__mro__:
        render = TABLE.get(kind)
        if render is not None:
            return render(error)
    return _UNEXPECTED


def body_of(message: str, answer: Answer) -> dict[str, Any]:
    return {
        "error": {
            "message": message,
            "type": answer.type,
            "param": answer.param,
            "code": answer.code,
        }
    }


def message_of(error: errors.GatewayError, answer: Answer) -> str:
    if isinstance(error, errors.AllTargetsFailed):
        return f"{error} (attempts: {told(error.attempts)})"
    if isinstance(error, errors.LimitReached):
        if error.refusal.asked > error.refusal.limit.amount:
            return f"{error} This request is larger than the limit itself."
        if answer.retry_after_s is None:
            return str(error)
        return f"{error} Please try again in {answer.retry_after_s:.3f}s."
    return str(error)


def headers_of(answer: Answer) -> dict[str, str]:
    headers: dict[str, str] = {}
    if answer.retry_after_s is not None:
        # Rounded up: whoever comes back at that moment must be let in.
        headers["retry-after"] = str(math.ceil(answer.retry_after_s))
        headers["retry-after-ms"] = str(math.ceil(answer.retry_after_s * 1000))
    if answer.retry is not None:
        headers["x-should-retry"] = "true" if answer.retry else "false"
    return headers


def explained(error: Exception) -> tuple[str, Answer]:
    """Any exception, in words, and what else to answer. What nobody expected is logged."""
    if isinstance(error, errors.GatewayError):
        answer = answer_for(error)
        return message_of(error, answer), answer
    if isinstance(error, HTTPException):
        return _framework(error)
    _LOG.error("unexpected error", exc_info=error)
    return _UNEXPECTED_MESSAGE, _UNEXPECTED


_SERVER_ERROR = 5
_FRAMEWORK = {
    404: ("unknown_url", "Unknown request URL. See the documentation for the paths there are."),
    405: ("method_not_allowed", "This path does not take this method."),
    408: ("request_timeout", "The request body did not arrive in time."),
    413: ("request_too_large", "The request body is too large."),
    500: ("internal_error", _UNEXPECTED_MESSAGE),
}


def _framework(error: HTTPException) -> tuple[str, Answer]:
    status = error.code or 500
    code, message = _FRAMEWORK.get(status, (None, error.name))
    answer = Answer(
        status=status,
        type="server_error" if status // 100 == _SERVER_ERROR else _INVALID,
        code=code,
    )
    return message, answer
