"""Mistral's errors. Three forms are in use: `{"object": "error", message, type, param, code}`,
FastAPI's `{"detail": [{type, loc, msg}]}` with 422, and `{"message", "request_id"}` with 401. The
message of the first may itself be an object of the second form, or JSON in a text."""

from collections.abc import Mapping
from typing import Any

import orjson

from ...wire.codec import Complaint, as_text

_MAX_NESTING = 4
# A model that Mistral does not have is told with 400, but is not the request's fault:
# https://github.com/mistralai/mistral-vibe/issues/617
_NO_SUCH_MODEL = 404
# As the caller wrote it.
_OWN_NAMES = {"output_dimension": "dimensions", "random_seed": "seed"}
_ROLES = frozenset({"system", "user", "assistant", "tool"})


def complaint(body: Mapping[str, Any], nesting: int = 0) -> Complaint:
    if nesting > _MAX_NESTING:
        return Complaint()
    detail = body.get("detail")
    code = as_text(body.get("code"))
    if isinstance(detail, list):
        return _of_details(detail, code)
    inner = _nested(body.get("message") or detail or body.get("error"))
    if isinstance(inner, Mapping):
        said = complaint(inner, nesting + 1)
        return Complaint(
            message=said.message,
            param=said.param or as_text(body.get("param")),
            code=said.code or code,
        )
    return Complaint(
        message=as_text(inner),
        param=as_text(body.get("param")),
        code=code,
        status=_NO_SUCH_MODEL if body.get("type") == "invalid_model" else None,
    )


def _nested(message: object) -> object:
    if isinstance(message, list):
        return {"detail": message}
    if isinstance(message, str) and message.startswith("{"):
        try:
            return orjson.loads(message)
        except orjson.JSONDecodeError:
            return message
    return message


def _of_details(details: list[Any], code: str | None) -> Complaint:
    """Every fault in words; the first one's place as the parameter."""
    faults = [(_place(detail), detail.get("msg")) for detail in details if isinstance(detail, dict)]
    said = [f"{place}: {msg}" if place else str(msg) for place, msg in faults if msg]
    param = faults[0][0] if faults else None
    return Complaint(message="; ".join(said) or None, param=param, code=code)


def _place(detail: Mapping[str, Any]) -> str | None:
    """As the caller would write it: without the `body` it begins with, and without the role that
    is told behind a message's number."""
    steps = detail.get("loc")
    if not isinstance(steps, list):
        return None
    names = [str(step) for step in steps]
    if names[:1] == ["body"]:
        del names[0]
    if names[:1] == ["messages"] and names[2:3] and names[2] in _ROLES:
        del names[2]
    return ".".join(_OWN_NAMES.get(name, name) for name in names) or None
