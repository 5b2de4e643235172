from collections.abc import Mapping, Sequence
from secrets import token_hex
from typing import Any

import orjson

from ...domain.errors import InvalidRequest
from ...domain.operations import UploadedFile

_LINE = b"\r\n"
_ANY_TYPE = "application/octet-stream"
# As browsers do, and what would end the name, or be taken for the beginning of its end:
# https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
_ESCAPED = {code: f"%{code:02X}" for code in (*range(32), 127, ord('"'), ord("\\"))}


def form(fields: Mapping[str, Any], files: Sequence[UploadedFile]) -> tuple[str, bytes]:
    """A form (RFC 7578): its content type, and its body. A list is told as so many fields of one
    name, as OpenAI's clients do. Raises InvalidRequest."""
    boundary = f"langroute-{token_hex(16)}"
    parts = [
        (_disposition(name), _text(name, one))
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    parts += [(_head(file), file.data) for file in files]
    opening, body = f"--{boundary}".encode(), []
    for head, data in parts:
        body += [opening, head, b"", data]
    return f"multipart/form-data; boundary={boundary}", _LINE.join([*body, opening + b"--", b""])


def _text(name: str, value: Any) -> bytes:
    try:
        return value.encode() if isinstance(value, str) else orjson.dumps(value)
    except (TypeError, UnicodeEncodeError) as error:  # an embedder's, or text that is not Unicode
        raise InvalidRequest(f"'{name}' cannot be sent in a form.", param=name) from error


def _head(file: UploadedFile) -> bytes:
    kind = file.content_type
    if not (kind.isascii() and kind.isprintable() and kind):
        kind = _ANY_TYPE
    return b"%s%sContent-Type: %s" % (
        _disposition(file.name, file.filename),
        _LINE,
        kind.encode(),
    )


def _disposition(name: str, filename: str | None = None) -> bytes:
    named = f'Content-Disposition: form-data; name="{name.translate(_ESCAPED)}"'
    if filename is not None:
        named += f'; filename="{filename.translate(_ESCAPED)}"'
    return named.encode(errors="replace")
