"""OpenAI's parts as Anthropic's content blocks: https://platform.claude.com/docs/en/api/messages,
https://platform.claude.com/docs/en/build-with-claude/vision and …/pdf-support.

A part that has no counterpart, sound for one, goes as it is: Anthropic refuses it by its name,
where an answer to a question without its recording would be worth nothing.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

Block = dict[str, Any]

_DATA_URL = re.compile(r"data:(?P<kind>[^;,]*)(?P<rest>(?:;[^,]*)?),(?P<data>.*)", re.DOTALL)
_PDF = "application/pdf"


def blocks(content: object) -> list[Block]:
    """Empty texts are left out: Anthropic refuses them, and any that is only white space."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content.strip() else []
    if not isinstance(content, list):
        return []
    return [block for part in content if isinstance(part, dict) for block in _block(part)]


def lost(content: object) -> Iterator[str]:
    """What the parts say that blocks have no place for."""
    for part in content if isinstance(content, list) else ():
        match part:
            case {"type": "image_url", "image_url": {"detail": str(detail)}} if detail != "auto":
                yield "messages.content.image_url.detail"


def _block(part: Mapping[str, Any]) -> Iterator[Block]:
    own = {name: part[name] for name in ("cache_control", "citations") if part.get(name)}
    match part:
        case {"type": "text", "text": str(text)}:
            if text.strip():
                yield dict(part)
        case {"type": "refusal", "refusal": str(text)}:
            if text.strip():
                yield {"type": "text", "text": text, **own}
        case {"type": "image_url", "image_url": str(url) | {"url": str(url)}}:
            yield {"type": "image", "source": _source(url, "image/png"), **own}
        case {"type": "file", "file": {"file_data": str(data), **rest}}:
            yield {**_document(data, rest.get("filename")), **own}
        case {"type": "file", "file": {"file_id": str(file_id)}}:
            yield {"type": "document", "source": {"type": "file", "file_id": file_id}, **own}
        case _:
            yield dict(part)


def _document(data: str, filename: object) -> Block:
    """OpenAI takes data URLs; what is none is bare base64, as many clients send it."""
    source = _source(data, _PDF)
    kind = str(source.get("media_type", ""))
    if kind.startswith("image/"):
        return {"type": "image", "source": source}
    if kind.startswith("text/"):
        source = {"type": "text", "media_type": "text/plain", "data": _decoded(source["data"])}
    title = {"title": filename} if isinstance(filename, str) and filename else {}
    return {"type": "document", "source": source, **title}


def _source(url: str, default_kind: str) -> dict[str, str]:
    if url.startswith(("http://", "https://")):
        return {"type": "url", "url": url}
    kind, data = default_kind, url
    if (found := _DATA_URL.fullmatch(url)) is not None:
        kind = found["kind"].strip().lower() or "text/plain"
        data = found["data"]
        if not found["rest"].rstrip().lower().endswith(";base64"):
            data = base64.b64encode(unquote_to_bytes(data)).decode()
    kind = "image/jpeg" if kind == "image/jpg" else kind
    return {"type": "base64", "media_type": kind, "data": data}


def _decoded(data: str) -> str:
    try:
        return base64.b64decode(data).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return data
