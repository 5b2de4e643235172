"""Streams of server-sent events, as they are read by who knows of comments."""

_COST = ": x-langroute-cost: "


def without_comments(text: str) -> str:
    """The events alone."""
    return "".join(f"{each}\n\n" for each in _blocks(text) if not each.startswith(":"))


def told_cost(text: str) -> str | None:
    """What the stream says at its very end that it cost."""
    *_, last = _blocks(text)
    return last.removeprefix(_COST) if last.startswith(_COST) else None


def _blocks(text: str) -> list[str]:
    assert text.endswith("\n\n"), text[-200:]
    return text.removesuffix("\n\n").split("\n\n")
