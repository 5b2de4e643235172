"""What a candidate says: https://ai.google.dev/api/caching#Part"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import orjson

from ...wire.malformed import Malformed
from .signatures import extra_content


@dataclass(slots=True)
class Said:
    """The parts of one candidate, or of what an event brings of it, in OpenAI's terms. Pictures and
    other parts are numbered from where the last event stopped, calls by whoever shows them."""

    text: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    audio: dict[str, Any] | None = None
    others: list[dict[str, Any]] = field(default_factory=list)
    signature: str | None = None

    def shown(self) -> dict[str, Any]:
        """All but the text, as fields of a message or a delta."""
        shown: dict[str, Any] = {
            "reasoning_content": "".join(self.thoughts),
            "tool_calls": self.calls,
            "images": self.images,
            "audio": self.audio,
            **extra_content(self.signature, parts=self.others),
        }
        return {name: value for name, value in shown.items() if value}


def said(content: object) -> Said:
    """Raises Malformed."""
    result = Said()
    if content is None:
        return result
    if not isinstance(content, dict):
        raise Malformed("a candidate's content is not an object")
    parts = content.get("parts")
    if parts is not None and not isinstance(parts, list):
        raise Malformed("a candidate's parts are not a list")
    for part in parts or ():
        if not isinstance(part, dict):
            raise Malformed("a part is not an object")
        _read(part, result)
    return result


def _read(part: dict[str, Any], result: Said) -> None:
    signature = part.get("thoughtSignature")
    match part:
        case {"functionCall": dict(call)}:
            result.calls.append(_call(call, signature))
            return
        case {"inlineData": {"mimeType": str(kind), "data": str(data)}} if part.get("thought"):
            return  # a sketch of the picture to come
        case {"inlineData": {"mimeType": str(kind), "data": str(data)}}:
            if kind.startswith("audio/"):
                result.audio = _audio(kind, data, result.audio)
            else:
                url = {"url": f"data:{kind};base64,{data}"}
                image = {"type": "image_url", "image_url": url, **extra_content(signature)}
                result.images.append(image)
            return
        case {"text": str(text)}:
            (result.thoughts if part.get("thought") else result.text).append(text)
        case _ if part.keys() - {"thought", "thoughtSignature"}:
            result.others.append(part)  # what Google's own tools did, and what is yet to come
            return
    if isinstance(signature, str) and signature:
        result.signature = signature


def _call(call: Mapping[str, Any], signature: object) -> dict[str, Any]:
    """Older models give no ids, and positions tell calls apart; OpenAI's format needs them."""
    name, call_id = call.get("name"), call.get("id")
    if not isinstance(name, str) or not name:
        raise Malformed("a function call has no name")
    args = call.get("args")
    return {
        "id": call_id if isinstance(call_id, str) and call_id else f"call_{uuid4().hex}",
        "type": "function",
        "function": {
            "name": name,
            "arguments": orjson.dumps(args if isinstance(args, dict) else {}).decode(),
        },
        **extra_content(signature),
    }


def _audio(kind: str, data: str, before: dict[str, Any] | None) -> dict[str, Any]:
    """In base64, of which two cannot just be put together: each may be padded at its end."""
    if before is None:
        return {"id": f"audio_{uuid4().hex}", "data": data, "transcript": "", "mime_type": kind}
    try:
        whole = b"".join(base64.b64decode(part, validate=True) for part in (before["data"], data))
    except (binascii.Error, ValueError) as error:
        raise Malformed("its sound is not base64") from error
    return {**before, "data": base64.b64encode(whole).decode()}
