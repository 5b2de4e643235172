"""Mistral's errors. Three forms are in use: `{"object": "error", message, type, param, code}`,
FastAPI's `{"detail": [{type, loc, msg}]}` with 422, and `{"message", "request_id"}` with 401. The
message of the first may itself be an object of the second form, or JSON in a text."""

from collections.abc import Mapping
from typing import Any

import orjson

from ...wire.codec import Complaint

_MAX_NESTING = 4
# As the caller wrote it.
_OWN_NAMES = {"random_seed": "seed"}


def complaint(body: Mapping[str, Any], nesting: int = 0) -> Complaint:
    if nesting > _MAX_NESTING:
        return Complaint()
    detail = body.get("detail")
    if isinstance(detail, list):
        return _of_details(detail)
    inner = _nested(body.get("message") or detail or body.get("error"))
    code = _text(body.get("code"))
    if isinstance(inner, Mapping):
        said = complaint(inner, nesting + 1)
        return Complaint(
            message=said.message,
            param=said.param or _text(body.get("param")),
            code=said.code or code,
        )
    return Complaint(message=_text(inner), param=_text(body.get("param")), code=code)


def _nested(message: object) -> object:
    if isinstance(message, list):
        return {"detail": message}
    if isinstance(message, str) and message.startswith("{"):
        try:
            return orjson.loads(message)
        except orjson.JSONDecodeError:
            return message
    return message


def _of_details(details: list[Any]) -> Complaint:
    """Every fault in words; the first one's place as the parameter."""
    faults = [(_place(detail), detail.get("msg")) for detail in details if isinstance(detail, dict)]
    said = [f"{place}: {msg}" if place else str(msg) for place, msg in faults if msg]
    return Complaint(message="; ".join(said) or None, param=faults[0][0] if faults else None)


def _place(detail: Mapping[str, Any]) -> str | None:
    steps = detail.get("loc")
    if not isinstance(steps, list):
        return None
    names = [str(step) for step in (steps[1:] if steps[:1] == ["body"] else steps)]
    return ".".join(_OWN_NAMES.get(name, name) for name in names) or None


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
