from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

# What libpq understands and asyncpg would pass on to the server, which refuses them.
_OF_LIBPQ_ONLY = frozenset(
    {
        "channel_binding",
        "connect_timeout",
        "gssencmode",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "load_balance_hosts",
        "sslsni",
        "tcp_user_timeout",
    }
)


def to_asyncpg(url: str) -> str:
    """An address in any of the usual spellings, such as `postgres://` or
    `postgresql+asyncpg://…?sslmode=require`, in the one that asyncpg takes. Raises ValueError."""
    parts = urlsplit(url)
    scheme = parts.scheme.partition("+")[0]
    if scheme not in {"postgres", "postgresql"}:
        raise ValueError("the database's address must begin with postgresql://")
    query = [
        ("sslmode" if name == "ssl" else name, value)
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if name not in _OF_LIBPQ_ONLY
    ]
    return urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(query), ""))
