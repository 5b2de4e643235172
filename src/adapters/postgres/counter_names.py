"""A counter's name as Postgres can keep it: callers choose the names of end users and tags."""

from hashlib import sha256
from string import printable
from urllib.parse import quote

_PLAIN = "".join(sorted(set(printable) - set("%\t\n\r\x0b\x0c")))
# The key of an index has room for some 2,700 bytes.
_LONGEST = 500

HASHED = "%sha256:"
"""What a name begins with that cannot be told back."""


def stored_name(name: str) -> str:
    """What is not printable ASCII is written as in a URL. Different names stay different; those
    that are too long for an index are told by their hash, with a mark that no other has."""
    if not name:
        return name
    if not (name.isascii() and name.isprintable()) or "%" in name:
        name = quote(name, safe=_PLAIN, errors="surrogatepass")
    if len(name) > _LONGEST:
        return f"{HASHED}{sha256(name.encode()).hexdigest()}"
    return name
