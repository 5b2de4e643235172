"""Calls of functions and their results: https://ai.google.dev/gemini-api/docs/function-calling"""

from collections.abc import Mapping
from typing import Any

from ...wire.json_object import json_object
from ...wire.malformed import Malformed
from .families import has_levels
from .parts import Part, joined_text
from .signatures import PLACEHOLDER, signature_of, signed

_NO_NAME = "tool"
# In a result, a reference to a file that goes with it; any other is refused with 400:
# https://github.com/vercel/ai/issues/14369
_REFERENCE = '"$ref"'


class Calls:
    """Those of one conversation. A result must tell the name of what was called, which OpenAI's
    format only tells where it was called."""

    def __init__(self, model: str) -> None:
        self._knows_ids = self._wants_signatures = self._nests_media = has_levels(model)
        self._names: dict[str, str] = {}

    def made(self, message: Mapping[str, Any]) -> list[Part]:
        """The calls of an assistant's message."""
        given = message.get("tool_calls")
        calls = [c for c in given if isinstance(c, dict)] if isinstance(given, list) else []
        made = [self._call(call) for call in calls]
        # Only the first of several calls made at once is signed.
        if made and self._wants_signatures and "thoughtSignature" not in made[0]:
            made[0] = signed(made[0], PLACEHOLDER)
        return made

    def answered(self, message: Mapping[str, Any], said: list[Part]) -> tuple[Part, list[Part]]:
        """The result that a message brings. Its pictures go inside it, or beside it for models that
        know no better."""
        call_id = message.get("tool_call_id")
        name = message.get("name")
        if isinstance(call_id, str) and call_id:
            name = self._names.get(call_id) or name or call_id
        result: dict[str, Any] = {
            "name": name if isinstance(name, str) and name else _NO_NAME,
            "response": _response(joined_text(said)),
        }
        if self._knows_ids and isinstance(call_id, str) and call_id:
            result["id"] = call_id
        media = [part for part in said if "text" not in part]
        if media and self._nests_media:
            result["parts"] = media
            media = []
        return {"functionResponse": result}, media

    def _call(self, call: Mapping[str, Any]) -> Part:
        name, args = _name_and_args(call)
        made: dict[str, Any] = {"name": name, "args": args}
        if isinstance(call_id := call.get("id"), str) and call_id:
            self._names[call_id] = name
            if self._knows_ids:
                made["id"] = call_id
        return signed({"functionCall": made}, signature_of(call))


def _name_and_args(call: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    match call:
        case {"custom": {"name": str(name), "input": input_}} if name:
            return name, {"input": input_}
        case {"function": {"name": str(name), **rest}} if name:
            arguments = rest.get("arguments")
            if isinstance(arguments, dict):
                return name, arguments
            return name, _object(arguments) or {}
    return _NO_NAME, {}


def _response(text: str) -> dict[str, Any]:
    told = _object(text)
    return {"result": text} if told is None or _REFERENCE in text else told


def _object(text: object) -> dict[str, Any] | None:
    if not isinstance(text, str):
        return None
    try:
        return json_object(text.encode("utf-8", "surrogatepass"))
    except Malformed:
        return None
