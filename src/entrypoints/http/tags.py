from quart import Request

from ...domain.errors import InvalidRequest

HEADER = "x-langroute-tag"
_MAX_TAG = 64


def tag_of(request: Request) -> str | None:
    """What the caller asks for, in its own words: limits may count by it, and reports show it.
    Raises InvalidRequest."""
    told = request.headers.getlist(HEADER)
    if not told:
        return None
    tag = told[0].strip()
    if len(told) > 1 or not 1 <= len(tag) <= _MAX_TAG or not (tag.isascii() and tag.isprintable()):
        raise InvalidRequest(
            f"'{HEADER}' must be sent once, with 1 to {_MAX_TAG} printable ASCII characters.",
            param=HEADER,
        )
    return tag
