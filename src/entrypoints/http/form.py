from collections.abc import Iterator
from typing import Any

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from ...domain.errors import InvalidRequest
from ...domain.operations import UploadedFile

_MAX_PARTS = 1000
_ANY_TYPE = "application/octet-stream"


def read_form(raw: bytes, boundary: str | None) -> tuple[dict[str, Any], tuple[UploadedFile, ...]]:
    """The fields of a form, and its files. A field that is there several times is a list.

    Quart's own reading writes files to the disk, cuts fields off, and takes a broken form for an
    empty one. Raises InvalidRequest.
    """
    if not boundary or not boundary.isascii():
        raise InvalidRequest("The form's content type names no boundary between its parts.")
    fields: dict[str, Any] = {}
    files = []
    try:
        for part, data in _parts(raw, boundary.encode()):
            if not part.name:
                raise InvalidRequest("A part of the form has no name.")
            if isinstance(part, File):
                files.append(_file(part, data))
            else:
                _add(fields, part.name, data)
    except ValueError as error:
        raise InvalidRequest("The request body is not a whole form.") from error
    except RequestEntityTooLarge as error:
        raise InvalidRequest(f"The form has more than {_MAX_PARTS} parts.") from error
    return fields, tuple(files)


def _parts(raw: bytes, boundary: bytes) -> Iterator[tuple[Field | File, bytes]]:
    """Raises ValueError where the form is broken, RequestEntityTooLarge where it has too many."""
    decoder = MultipartDecoder(boundary, max_parts=_MAX_PARTS)
    decoder.receive_data(raw)
    decoder.receive_data(None)
    part: Field | File | None = None
    pieces: list[bytes] = []
    while not isinstance(event := decoder.next_event(), Epilogue):
        if isinstance(event, Field | File):
            part, pieces = event, []
        elif isinstance(event, Data) and part is not None:
            pieces.append(event.data)
            if not event.more_data:
                yield part, b"".join(pieces)


def _file(part: File, data: bytes) -> UploadedFile:
    return UploadedFile(
        name=part.name,
        filename=part.filename,
        content_type=part.headers.get("content-type") or _ANY_TYPE,
        data=data,
    )


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
