"""What a message holds: a text, or typed parts, which chats name otherwise.

https://platform.openai.com/docs/api-reference/responses/create#responses-create-input and
https://platform.openai.com/docs/api-reference/chat/create#chat-create-messages
"""

from typing import Any

from .....domain.fields import given, missing, required, wrong_type
from .untranslated import Untranslated

Content = str | list[dict[str, Any]]

# The same in both, or a chat's own, as some clients send them.
_SHARED = frozenset({"input_audio", "text", "image_url", "file"})
_KNOWN = {
    # What an answer's text carries beside itself is sent back with it, and means nothing there.
    "output_text": frozenset({"type", "text", "annotations", "logprobs"}),
    "input_text": frozenset({"type", "text"}),
    "refusal": frozenset({"type", "refusal"}),
    "input_image": frozenset({"type", "image_url", "file_id", "detail"}),
    "input_file": frozenset({"type", "file_data", "file_id", "file_url", "filename"}),
}


def chat_content(sent: object, param: str, lost: Untranslated) -> Content:
    """A lone text is a string, which is understood in more places than a part is."""
    if isinstance(sent, str):
        return sent
    if sent is None:
        raise missing(param)
    if not isinstance(sent, list):
        raise wrong_type(param, "a string or an array of parts")
    translated = (_part(part, f"{param}.{index}", lost) for index, part in enumerate(sent))
    return simplest([part for part in translated if part is not None])


def simplest(parts: list[dict[str, Any]]) -> Content:
    match parts:
        case []:
            return ""
        case [{"type": "text", "text": str(lone), **rest}] if not rest:
            return lone
    return parts


def as_parts(content: Content) -> list[dict[str, Any]]:
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []


def _part(sent: object, param: str, lost: Untranslated) -> dict[str, Any] | None:
    """None where there is no such part in a chat."""
    if not isinstance(sent, dict):
        raise wrong_type(param, "an object")
    kind = sent.get("type")
    if not isinstance(kind, str):
        raise wrong_type(f"{param}.type", "a string")
    if kind in _SHARED:
        return sent
    if kind in _KNOWN:
        lost.drop_all_but(_KNOWN[kind], sent, "input.content")
    match kind:
        case "input_text" | "output_text":
            return {"type": "text", "text": required(sent, "text", str, param)}
        case "refusal":
            return {"type": "refusal", "refusal": required(sent, "refusal", str, param)}
        case "input_image":
            return _image(sent, param, lost)
        case "input_file":
            return _file(sent, param, lost)
    lost.needs_native(f"{param}.type")
    return None


def _image(sent: dict[str, Any], param: str, lost: Untranslated) -> dict[str, Any] | None:
    url = given(sent, "image_url", str, param)
    if url is None:
        if sent.get("file_id") is None:
            raise missing(f"{param}.image_url")
        lost.needs_native(f"{param}.file_id")
        return None
    image = {"url": url}
    if (detail := given(sent, "detail", str, param)) is not None:
        image["detail"] = detail
    return {"type": "image_url", "image_url": image}


def _file(sent: dict[str, Any], param: str, lost: Untranslated) -> dict[str, Any] | None:
    told = {name: given(sent, name, str, param) for name in ("file_data", "file_id", "filename")}
    file = {name: value for name, value in told.items() if value is not None}
    if file.keys() & {"file_data", "file_id"}:
        return {"type": "file", "file": file}
    if sent.get("file_url") is None:
        raise missing(f"{param}.file_data")
    lost.needs_native(f"{param}.file_url")
    return None
