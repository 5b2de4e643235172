"""https://platform.claude.com/docs/en/api/messages: a temperature is from 0 to 1, and at most one
of it and `top_p` is taken. A model that thinks takes hardly any of them
(https://platform.claude.com/docs/en/build-with-claude/extended-thinking#feature-compatibility),
one from 4.7 on none at all (https://platform.claude.com/docs/en/about-claude/models/migration-guide).
"""

from collections.abc import Mapping
from typing import Any

_HIGHEST_TEMPERATURE = 1
_LOWEST_TOP_P_WHILE_THINKING = 0.95
_FIELDS = ("temperature", "top_p", "top_k")


def sampling(
    given: Mapping[str, Any], *, samples: bool, thinks: bool
) -> tuple[dict[str, Any], list[str]]:
    """What is sent, and the names of what is not, or is changed. A value that is the default
    anyway says nothing, and is left out in silence."""
    wanted = {name: given[name] for name in _FIELDS if given.get(name) is not None}
    for name in ("temperature", "top_p"):
        if wanted.get(name) == 1:
            del wanted[name]
    if not samples:
        return {}, list(wanted)
    if thinks:
        top_p = wanted.get("top_p")
        fits = isinstance(top_p, int | float) and _LOWEST_TOP_P_WHILE_THINKING <= top_p <= 1
        kept = {"top_p": top_p} if fits else {}
        return kept, [name for name in wanted if name not in kept]
    dropped = []
    temperature = wanted.get("temperature")
    if temperature is not None and "top_p" in wanted:
        del wanted["top_p"]
        dropped.append("top_p")
    if isinstance(temperature, int | float) and temperature > _HIGHEST_TEMPERATURE:
        wanted["temperature"] = _HIGHEST_TEMPERATURE
        dropped.insert(0, "temperature")
    return wanted, dropped
