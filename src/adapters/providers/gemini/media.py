"""Pictures, sounds and files: as bytes where the caller sent them, else by address.

https://ai.google.dev/api/caching#Part
"""

import base64
import mimetypes
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

_PDF = "application/pdf"


def from_url(url: str, mime_type: object = None) -> dict[str, Any]:
    """A data URL's bytes travel along; any other is for Google to fetch."""
    if (inline := _data_url(url)) is not None:
        return inline
    kind = mime_type if isinstance(mime_type, str) else _guessed(url)
    return {"fileData": {"fileUri": url} | ({"mimeType": kind} if kind else {})}


def from_bytes(data: str, mime_type: str) -> dict[str, Any]:
    """`data` is in base64."""
    return {"inlineData": {"mimeType": mime_type, "data": data}}


def from_file(file: Mapping[str, Any]) -> dict[str, Any] | None:
    """OpenAI's file part: a data URL, bare base64 with a name, or what Google's Files API gave."""
    data, file_id, name = (file.get(key) for key in ("file_data", "file_id", "filename"))
    if isinstance(data, str):
        kind = mimetypes.guess_type(name)[0] if isinstance(name, str) else None
        return _data_url(data) or from_bytes(data, kind or _PDF)
    if isinstance(file_id, str):
        return from_url(file_id, file.get("format"))
    return None


def _data_url(url: str) -> dict[str, Any] | None:
    if not url.startswith("data:"):
        return None
    head, comma, data = url.removeprefix("data:").partition(",")
    if not comma:
        return None
    kind, *options = head.split(";")
    if "base64" not in options:
        data = base64.b64encode(unquote_to_bytes(data.encode("utf-8", "surrogatepass"))).decode()
    return from_bytes(data, kind or "text/plain")


def _guessed(url: str) -> str | None:
    try:
        return mimetypes.guess_type(urlsplit(url).path)[0]
    except ValueError:
        return None
