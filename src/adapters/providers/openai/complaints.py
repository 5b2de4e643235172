"""Errors of OpenAI's format, and what other servers make of them.

{"error": {message, type, param, code}}     OpenAI; the code may be the status (llama.cpp, vLLM,
                                            OpenRouter)
{"error": text, "code": text}               xAI, Ollama, LM Studio
{"error": text, "message": text}            Fireworks, of limits
{message, type, param, code}                Cerebras; with "object": "error", older vLLM
{"detail": text}, {"detail": [{loc, msg}]}  whatever is made with FastAPI; NVIDIA, or a "title" only
"""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import orjson

from ...wire.codec import Complaint, as_text
from ...wire.refusals import CONTEXT_CODE

# In small letters. Where a prompt was too long, clients shorten it and ask again, if they are told.
_CONTEXT_SIGNS = (
    "maximum context length",  # OpenAI, older vLLM, DeepSeek, OpenRouter, Fireworks
    "model's context length is only",  # vLLM
    "longer than the maximum model length",  # vLLM, of the decoder
    "available context size",  # llama.cpp
    "larger than the max context size",  # llama.cpp, of embeddings
    "longer than the context length",  # Ollama
    "exceeds the context length",  # Ollama, of embeddings
    "exceeded max context length",  # Ollama's cloud
    "maximum prompt length is",  # xAI
    "reduce the length of the messages",  # Groq, Cerebras
    "loaded with context length of only",  # LM Studio
    "is greater than the context length",  # LM Studio, newer
)
_BAD_REQUEST = 400
_LIMIT_CODE, _LIMITED = "rate_limit_exceeded", 429
_KEY_SIGN, _UNAUTHORIZED = "incorrect api key provided", 401


def complaint(body: Mapping[str, Any]) -> Complaint:
    error = body.get("error")
    told = error if isinstance(error, dict) else body
    code, kind = told.get("code"), told.get("type")
    status = code if type(code) is int and 400 <= code < 600 else None  # noqa: PLR2004
    message = _message(error, body)
    named = as_text(kind) if status is not None else as_text(code)
    if named == _LIMIT_CODE:
        # Groq says it with 413 where one call is past the limit, as if the call were at fault; but
        # the limit is the operator's: https://console.groq.com/docs/rate-limits
        status = _LIMITED
    elif message is not None and any(sign in message.lower() for sign in _CONTEXT_SIGNS):
        # LM Studio says it with a status of 200: https://github.com/lmstudio-ai/
        # lmstudio-bug-tracker/issues/2322
        named, status = CONTEXT_CODE, _BAD_REQUEST
    elif message is not None and message.lower().startswith(_KEY_SIGN):
        # xAI says it with 400, as if the call were at fault; but the key is the operator's:
        # https://github.com/continuedev/continue/issues/10778
        status = _UNAUTHORIZED
    param = as_text(told.get("param")) or _place(body.get("detail"))
    return Complaint(message=message, param=param, code=named, status=status)


def _message(error: object, body: Mapping[str, Any]) -> str | None:
    if isinstance(error, str) and error:
        said = as_text(body.get("message"))
        return f"{error}: {said}" if said else error
    if isinstance(error, dict):
        said = as_text(error.get("message"))
        return _reason(error.get("metadata"), said) or said
    if said := as_text(body.get("message")):
        return said
    detail = body.get("detail")
    if isinstance(detail, list):
        return _message_of_details(detail)
    return as_text(detail) or as_text(body.get("title"))


def _reason(metadata: object, said: str | None) -> str | None:
    """OpenRouter's own message is mostly "Provider returned error"; why stands in `raw`, as text or
    as the JSON of that provider's error:
    https://openrouter.ai/docs/api/reference/errors-and-debugging"""
    raw = metadata.get("raw") if isinstance(metadata, dict) else None
    if isinstance(raw, str) and raw.startswith("{"):
        with suppress(orjson.JSONDecodeError):
            raw = orjson.loads(raw)
    if isinstance(raw, dict):
        inner = raw.get("error")
        raw = (inner if isinstance(inner, dict) else raw).get("message")
    reason = as_text(raw)
    return f"{said}: {reason}" if said and reason else reason


def _message_of_details(details: list[Any]) -> str | None:
    faults = [detail for detail in details if isinstance(detail, dict)]
    said = [
        f"{place}: {msg}" if (place := _place([fault])) else msg
        for fault in faults
        if (msg := as_text(fault.get("msg")))
    ]
    return "; ".join(said) or None


def _place(detail: object) -> str | None:
    """As the caller would write it: without the `body` it begins with."""
    first = detail[0] if isinstance(detail, list) and detail else None
    steps = first.get("loc") if isinstance(first, dict) else None
    if not isinstance(steps, list):
        return None
    names = [str(step) for step in steps]
    return ".".join(names[1:] if names[:1] == ["body"] else names) or None
