from collections.abc import Iterable, Mapping
from typing import Any

from .media import from_bytes, from_file, from_url
from .signatures import signature_of, signed

Part = dict[str, Any]


def parts_of(content: object, dropped: dict[str, None]) -> list[Part]:
    """What a message says, in Google's parts. An empty text is none: they are refused."""
    if isinstance(content, str):
        return [{"text": content}] if content else []
    if not isinstance(content, list):
        return []
    parts = (_part(part, dropped) for part in content if isinstance(part, Mapping))
    return [part for part in parts if part is not None]


def joined_text(parts: Iterable[Part]) -> str:
    return "".join(part["text"] for part in parts if isinstance(part.get("text"), str))


def _part(part: Mapping[str, Any], dropped: dict[str, None]) -> Part | None:
    """Google's own parts, which have no type, pass through; so does what is unknown."""
    match part:
        case {"type": "text" | "input_text" | "output_text", "text": str(text)}:
            return {"text": text} if text else None
        case {"type": "refusal", "refusal": str(text)}:
            return {"text": text} if text else None
        case {"type": "image_url" | "video_url" as kind, **rest}:
            if (media := _linked(rest.get(kind), kind, dropped)) is not None:
                return signed(media, signature_of(part))
        case {"type": "input_audio", "input_audio": {"data": str(data), **rest}}:
            return from_bytes(data, f"audio/{rest.get('format') or 'wav'}")
        case {"type": "file", "file": Mapping() as file}:
            if (media := from_file(file)) is not None:
                return media
    return dict(part)


def _linked(given: object, kind: str, dropped: dict[str, None]) -> Part | None:
    if isinstance(given, str):
        return from_url(given)
    if not isinstance(given, Mapping) or not isinstance(url := given.get("url"), str):
        return None
    if given.get("detail", "auto") not in (None, "auto"):
        dropped[f"messages.content.{kind}.detail"] = None
    return from_url(url, given.get("format"))
