"""How large a picture is that comes along with a message."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

# Enough for a header, and for what cameras write before it.
_READ = 4 * 32_768
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8"
_SIZE_AT, _SIZE_ENDS = 16, 24
# Of JPEG: what begins a frame, and so tells its size; others of that range are tables.
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_FRAME_BYTES = 9


def size_of(part: Mapping[str, Any]) -> tuple[int, int] | None:
    """Width and height of a part's PNG or JPEG; None where they cannot be told: it lies
    elsewhere, or is something else."""
    encoded = _encoded(part)
    if encoded is None:
        return None
    try:
        data = base64.b64decode(encoded[:_READ], validate=True)
    except (binascii.Error, ValueError):
        return None
    if data.startswith(_PNG) and len(data) >= _SIZE_ENDS:
        return _of(data[_SIZE_AT:20], data[20:_SIZE_ENDS])
    return _of_jpeg(data) if data.startswith(_JPEG) else None


def _encoded(part: Mapping[str, Any]) -> str | None:
    """https://platform.openai.com/docs/guides/images-vision and
    https://platform.claude.com/docs/en/build-with-claude/vision#base64-encoded-image-example"""
    held = part.get("image_url", part.get("source"))
    if isinstance(held, Mapping):
        held = held.get("data", held.get("url"))
    if not isinstance(held, str):
        return None
    if not held.startswith("data:"):
        return None if "://" in held[:16] else held
    _, comma, encoded = held.partition(",")
    return encoded if comma else None


def _of_jpeg(data: bytes) -> tuple[int, int] | None:
    """https://www.w3.org/Graphics/JPEG/itu-t81.pdf, B.1.1"""
    at = len(_JPEG)
    while at + _FRAME_BYTES <= len(data) and data[at] == 0xFF:  # noqa: PLR2004
        if data[at + 1] in _FRAMES:
            return _of(data[at + 7 : at + 9], data[at + 5 : at + 7])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return None


def _of(width: bytes, height: bytes) -> tuple[int, int] | None:
    size = int.from_bytes(width), int.from_bytes(height)
    return size if all(size) else None
