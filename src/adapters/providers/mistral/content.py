"""What a message says: a text, or a list of typed parts. The two formats name them differently."""

from collections.abc import Iterable, Mapping
from typing import Any


def joined_text(parts: Iterable[Any]) -> str:
    """The text of Mistral's parts. A reference part only points at a source, and says nothing."""
    return "".join(_text(part) for part in parts)


def joined_thinking(parts: Iterable[Any]) -> str:
    """What `thinking` parts hold: parts again, or in older models a text."""
    said = []
    for part in parts:
        if isinstance(part, Mapping) and part.get("type") == "thinking":
            thinking = part.get("thinking")
            if isinstance(thinking, list):
                said.append(joined_text(thinking))
            elif isinstance(thinking, str):
                said.append(thinking)
    return "".join(said)


def _text(part: Any) -> str:
    if isinstance(part, str):
        return part
    text = part.get("text") if isinstance(part, Mapping) else None
    return text if isinstance(text, str) else ""


def mistral_part(part: Mapping[str, Any]) -> Mapping[str, Any]:
    """One of OpenAI's parts as Mistral names it. Parts of its own pass through."""
    match part:
        case {"type": "text", "text": text}:
            return {"type": "text", "text": text}
        case {"type": "refusal", "refusal": text}:
            return {"type": "text", "text": text}
        case {"type": "input_audio", "input_audio": {"data": data}}:
            return {"type": "input_audio", "input_audio": data}
        case {"type": "file", "file": {"file_data": data, **rest}}:
            document = {"type": "document_url", "document_url": data}
            name = rest.get("filename")
            return {**document, "document_name": name} if name else document
        case {"type": "file", "file": {"file_id": file_id}}:
            return {"type": "file", "file_id": file_id}
    return part
