"""From a provider's failure to the gateway's error: one place for every provider."""

import math
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from ...domain.errors import GatewayError, ProviderRefused, RejectedByProvider
from ...domain.fallback import is_callers_fault
from .codec import Complaint

_MAX_MESSAGE = 500
_MAX_NAME = 200
_MAX_WAIT_S = 86_400.0

CONTEXT_CODE = "context_length_exceeded"
# What clients search the message for, since OpenAI's own says it.
_CONTEXT_TEXT = "maximum context length is"
# OpenAI and vLLM; Mistral; llama.cpp; Google; Anthropic, which tells any of the last three.
_CONTEXT_SIGNS = (
    *("maximum context length", "too large for model", "available context size"),
    *("exceeds the maximum number of tokens", "prompt is too long", "exceed context limit"),
    "exceeds model context window",
)


def refusal(
    complaint: Complaint,
    *,
    provider: str,
    credential: str | None,
    status: int,
    headers: Mapping[str, str],
) -> GatewayError:
    """RejectedByProvider where the request is at fault, else ProviderRefused. Some providers tell
    with 400 what is no fault of the request; their words may then tell the status."""
    if complaint.status is not None and is_callers_fault(status):
        status = complaint.status
    said = shown(complaint.message or "", credential)
    if not is_callers_fault(status):
        return ProviderRefused(
            f"{provider} answered {status}: {said}" if said else f"{provider} answered {status}.",
            provider=provider,
            status=status,
            retry_after_s=_wait_s(complaint, headers),
        )
    said = said or f"{provider} refused the request."
    code = complaint.code
    if code == CONTEXT_CODE or any(sign in said for sign in _CONTEXT_SIGNS):
        code = CONTEXT_CODE
        if _CONTEXT_TEXT not in said:
            said = f"This model's {_CONTEXT_TEXT} exceeded. {said}"
    return RejectedByProvider(
        said,
        provider=provider,
        status=status,
        param=complaint.param and shown(complaint.param, credential, _MAX_NAME),
        code=code and shown(code, credential, _MAX_NAME),
    )


def shown(text: str, credential: str | None, limit: int = _MAX_MESSAGE) -> str:
    """A provider's words, fit to be passed on: short, and without the credential, which some
    providers quote."""
    if credential:
        text = text.replace(credential, "***")
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def _wait_s(complaint: Complaint, headers: Mapping[str, str]) -> float | None:
    told = complaint.retry_after_s
    if told is not None and math.isfinite(told):
        return _bounded(told)
    return retry_after_s(headers)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How long the provider asks to wait: at most a day, None where it does not say.

    OpenAI tells milliseconds too; the plain header is seconds or a date (RFC 9110, 10.2.3), which
    is read by the provider's own clock where that is told.
    """
    if (millis := _number(headers.get("retry-after-ms"))) is not None:
        return _bounded(millis / 1000)
    told = headers.get("retry-after")
    if (seconds := _number(told)) is not None:
        return _bounded(seconds)
    until = _unix_time(told)
    if until is None:
        return None
    now = _unix_time(headers.get("date"))
    return _bounded(until - (time.time() if now is None else now))


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), _MAX_WAIT_S)


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _unix_time(text: str | None) -> float | None:
    try:
        return parsedate_to_datetime(text or "").timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
