from quart import Request


def bearer(request: Request) -> str | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else None


def credential_of(request: Request) -> str | None:
    """A virtual key, where OpenAI's clients put it, or where Anthropic's do."""
    return bearer(request) or request.headers.get("x-api-key") or None
