from typing import Any

# What is read as JSON has to be written again, and writers give up at some depth: orjson at 254.
MAX_DEPTH = 200
# Whoever looks at each of them holds up everybody else for as long: these take a fifth of a second.
# Lists of nothing but numbers, such as tokens to be embedded, are looked at as a whole.
MAX_VALUES, MAX_NUMBERS = 200_000, 2_000_000
_NUMBERS = frozenset({int, float})


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


def has_too_many(raw: bytes, value: object) -> bool:
    """Whether a piece of JSON holds more values than anybody means to look at. Most hold fewer
    commas and brackets than that."""
    if raw.count(b",") + raw.count(b"{") + raw.count(b"[") < MAX_VALUES:
        return False
    values = numbers = 0
    waiting: list[Any] = [value] if isinstance(value, dict | list) else []
    while waiting:
        item = waiting.pop()
        inner = list(item.values()) if isinstance(item, dict) else item
        if _NUMBERS.issuperset(map(type, inner)):
            numbers += len(inner)
        else:
            values += len(inner)
        if values > MAX_VALUES or numbers > MAX_NUMBERS:
            return True
        waiting.extend(each for each in inner if isinstance(each, dict | list))
    return False
