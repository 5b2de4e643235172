"""Blocks of content, as the parts of an OpenAI message.

https://docs.anthropic.com/en/api/messages and
https://platform.openai.com/docs/api-reference/chat/create
"""

from typing import Any

from .....domain.fields import Json, as_a, given, path, required, wrong_type
from .blocks import blocks
from .server_tools import in_words

Part = dict[str, Any]


def parts_of(content: list[tuple[dict[str, Any], str]]) -> list[Part]:
    return [part for block, at in content for part in _parts(block, at)]


def text_part(text: str) -> Part:
    return {"type": "text", "text": text}


def _parts(block: Json, at: str) -> list[Part]:
    match block["type"]:
        case "text":
            return [text_part(required(block, "text", str, at))]
        case "image":
            return [_image(block, at)]
        case "document":
            return _document(block, at)
        case "search_result":
            found = [block.get("title"), block.get("source"), *_texts(blocks(block, "content", at))]
            return [text_part("\n".join(text for text in found if isinstance(text, str)))]
    if (said := in_words(block, at)) is not None:
        return [text_part(said)]
    # Whatever this is, it is for the provider to know, or to refuse by its name.
    return [{name: value for name, value in block.items() if name != "cache_control"}]


def _image(block: Json, at: str) -> Part:
    source, where = _source(block, at)
    match source["type"]:
        case "base64":
            return {"type": "image_url", "image_url": {"url": _data_url(source, where)}}
        case "url":
            return {"type": "image_url", "image_url": {"url": required(source, "url", str, where)}}
        case "file":
            return {"type": "file", "file": {"file_id": required(source, "file_id", str, where)}}
    raise wrong_type(path(where, "type"), "'base64', 'url' or 'file'")


def _document(block: Json, at: str) -> list[Part]:
    source, where = _source(block, at)
    title = given(block, "title", str, at)
    about = [text for text in (title, given(block, "context", str, at)) if text]
    match source["type"]:
        case "text":
            return [text_part("\n\n".join([*about, required(source, "data", str, where)]))]
        case "content":
            return [*map(text_part, about), *parts_of(blocks(source, "content", where))]
        case "base64":
            file = {"filename": title or "document.pdf", "file_data": _data_url(source, where)}
        case "url":
            # OpenAI has no such thing, and says so; Mistral takes it.
            file = {"filename": title or "document.pdf"}
            file["file_data"] = required(source, "url", str, where)
        case "file":
            file = {"file_id": required(source, "file_id", str, where)}
        case _:
            raise wrong_type(path(where, "type"), "'base64', 'text', 'content', 'url' or 'file'")
    return [*map(text_part, about[bool(title) :]), {"type": "file", "file": file}]


def _source(block: Json, at: str) -> tuple[dict[str, Any], str]:
    source: dict[str, Any] = required(block, "source", dict, at)
    where = path(at, "source")
    required(source, "type", str, where)
    return source, where


def _data_url(source: Json, at: str) -> str:
    media_type = required(source, "media_type", str, at)
    return f"data:{media_type};base64,{required(source, 'data', str, at)}"


def _texts(content: list[tuple[dict[str, Any], str]]) -> list[str]:
    return [as_a(str, block.get("text"), path(at, "text")) for block, at in content]
