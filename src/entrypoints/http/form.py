from collections.abc import Iterator
from typing import Any

from werkzeug.http import parse_options_header

from ...domain.errors import InvalidRequest
from ...domain.operations import UploadedFile

_LINE = b"\r\n"
_MAX_PARTS = 1000
_MAX_HEAD = 8 * 2**10
_ANY_TYPE = "application/octet-stream"


def read_form(raw: bytes, boundary: str | None) -> tuple[dict[str, Any], tuple[UploadedFile, ...]]:
    """The fields of a form (RFC 7578), and its files. A field that is there several times is a
    list. Raises InvalidRequest.

    Quart's own reading writes files to the disk, takes a broken form for an empty one, and holds
    everybody up for two seconds over 25 MB: it looks for the boundary at every end of a line.
    """
    if not boundary or not boundary.isascii():
        raise InvalidRequest("The form's content type names no boundary between its parts.")
    fields: dict[str, Any] = {}
    files = []
    for count, (head, data) in enumerate(_parts(raw, boundary.encode())):
        if count == _MAX_PARTS:
            raise InvalidRequest(f"The form has more than {_MAX_PARTS} parts.")
        headers = _headers(head)
        _, named = parse_options_header(headers.get("content-disposition"))
        name, filename = named.get("name"), named.get("filename")
        if not name:
            raise InvalidRequest("A part of the form has no name.")
        if filename is None:
            _add(fields, name, data)
        else:
            kind = headers.get("content-type") or _ANY_TYPE
            files.append(UploadedFile(name=name, filename=filename, content_type=kind, data=data))
    return fields, tuple(files)


def _parts(raw: bytes, boundary: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The head of each part, and what it holds. Raises InvalidRequest where the form breaks off."""
    opening = b"--" + boundary
    delimiter = _LINE + opening
    at = len(opening) if raw.startswith(opening) else _behind(raw, delimiter, 0)[1]
    while not raw.startswith(b"--", at):
        begin = raw.find(_LINE, at)
        head_end = raw.find(_LINE * 2, begin, begin + _MAX_HEAD)
        if begin < 0 or head_end < 0 or raw[at:begin].strip(b" \t"):
            raise _broken()
        data_end, at = _behind(raw, delimiter, head_end + 2 * len(_LINE))
        yield raw[begin:head_end], raw[head_end + 2 * len(_LINE) : data_end]


def _behind(raw: bytes, delimiter: bytes, start: int) -> tuple[int, int]:
    """Where the next delimiter is, and where it ends. Raises InvalidRequest where there is none."""
    found = raw.find(delimiter, start)
    while found >= 0:
        end = found + len(delimiter)
        # Anything else is data that begins as the delimiter does.
        if raw[end : end + 1] in (b"-", b"\r", b" ", b"\t"):
            return found, end
        found = raw.find(delimiter, end)
    raise _broken()


def _headers(head: bytes) -> dict[str, str]:
    try:
        lines = head.decode().split("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidRequest("A part of the form has a head that is not in UTF-8.") from error
    told = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in told}


def _add(fields: dict[str, Any], name: str, data: bytes) -> None:
    try:
        value = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"'{name}' is not a text in UTF-8.", param=name) from error
    if name not in fields:
        fields[name] = value
    elif isinstance(fields[name], list):
        fields[name].append(value)
    else:
        fields[name] = [fields[name], value]


def _broken() -> InvalidRequest:
    return InvalidRequest("The request body is not a whole form.")
