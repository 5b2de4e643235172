def storable(text: str | None) -> str | None:
    """Callers choose names freely; what Postgres cannot keep as text must not cost the row."""
    if text is None or (text.isascii() and "\0" not in text):
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
