from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

import orjson

from ...domain.operations import UploadedFile

_LINE = b"\r\n"


def form(fields: Mapping[str, Any], files: Sequence[UploadedFile]) -> tuple[str, bytes]:
    """A form with files (RFC 7578): its content type, and its body. A list is told as so many
    fields of one name, as OpenAI's clients do."""
    boundary = f"langroute-{token_hex(16)}"
    parts = [
        (_disposition(name), one)
        for name, value in fields.items()
        for one in _values(value)
        if value is not None
    ]
    parts += [
        (
            _disposition(file.name, file.filename) + f"\r\nContent-Type: {file.content_type}",
            file.data,
        )
        for file in files
    ]
    opening, body = f"--{boundary}".encode(), []
    for head, data in parts:
        body += [opening, head.encode(), b"", data]
    return f"multipart/form-data; boundary={boundary}", _LINE.join([*body, opening + b"--", b""])


def _values(value: Any) -> list[bytes]:
    return [_text(one) for one in value] if isinstance(value, list) else [_text(value)]


def _text(value: Any) -> bytes:
    return value.encode() if isinstance(value, str) else orjson.dumps(value)


def _disposition(name: str, filename: str | None = None) -> str:
    named = f'Content-Disposition: form-data; name="{_quoted(name)}"'
    return named if filename is None else f'{named}; filename="{_quoted(filename)}"'


def _quoted(text: str) -> str:
    """As browsers do (https://html.spec.whatwg.org/multipage/form-control-infrastructure.html)."""
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
