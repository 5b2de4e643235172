# What is read as JSON has to be written again, and writers give up at some depth: orjson at 254.
MAX_DEPTH = 200


def is_too_deep(raw: bytes, value: object) -> bool:
    """Whether a piece of JSON is nested more than MAX_DEPTH levels deep. `raw` is what it was read
    from: most of it holds fewer brackets than that, and need not be looked through."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for item in level
            if isinstance(item, dict | list)
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True
