def matched_by_star(pattern: str, text: str) -> str | None:
    """What the one `*` of a pattern stands for in `text`; None where the pattern does not match.

    A pattern without a star matches itself only, and its star stands for nothing.
    """
    before, star, after = pattern.partition("*")
    if not star:
        return "" if text == pattern else None
    if len(text) < len(before) + len(after):
        return None
    if not (text.startswith(before) and text.endswith(after)):
        return None
    return text[len(before) : len(text) - len(after)]
