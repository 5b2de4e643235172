"""What differs from one family of Google's models to the next, told by their names.

https://ai.google.dev/gemini-api/docs/models
"""

import re
from functools import lru_cache

from .paths import bare_name

_VERSION = re.compile(r"^gemini-(?:[a-z]+-)*([0-9]{1,4})(?:\.([0-9]{1,4}))?(?![0-9])")
_LEVELS_SINCE = (3, 0)
_BUDGETS_SINCE = (2, 5)
# https://ai.google.dev/gemini-api/docs/generate-content/whats-new-gemini-3.6: these models, and all
# that came later, sample as they see fit, and leave the last word to the user.
_STRICT_SINCE, _STRICT_LITE_SINCE = (3, 6), (3, 5)
# https://ai.google.dev/gemma/docs/core/prompt-structure: Gemma takes instructions since its fourth.
_FIRST_GEMMAS = re.compile(r"^gemma-[1-3](?!\d)")
# https://ai.google.dev/gemini-api/docs/thinking: later Flash models refuse MINIMAL, Flash-Lite
# does not.
_FLASH_MINIMAL_BEFORE = (3, 7)


@lru_cache(maxsize=256)
def version(model: str) -> tuple[int, int] | None:
    """None for a name that tells none, such as `gemini-flash-latest`."""
    found = _VERSION.match(bare_name(model))
    return None if found is None else (int(found[1]), int(found[2] or 0))


def has_levels(model: str) -> bool:
    """Gemini 3 and later: thinks at levels, signs its calls, and tells calls apart by ids. A name
    that tells no version is taken for a new one, but for Gemma's."""
    told = version(model)
    return not bare_name(model).startswith("gemma") if told is None else told >= _LEVELS_SINCE


def has_budgets(model: str) -> bool:
    """Gemini 2.5, whose thinking is capped in tokens, but for those that draw or speak. What is
    older does not think."""
    told = version(model)
    if told is None or "-image" in model or "-tts" in model:
        return False
    return _BUDGETS_SINCE <= told < _LEVELS_SINCE


def is_strict(model: str) -> bool:
    """Takes no sampling parameters, and no beginning of its own answer."""
    told = version(model)
    if told is None:
        return "-flash" in bare_name(model)  # gemini-flash-latest
    return told >= (_STRICT_LITE_SINCE if "flash-lite" in model else _STRICT_SINCE)


def penalizes(model: str) -> bool:
    """https://github.com/google-gemini/cookbook/issues/1290: from Gemini 2.5 on, a penalty is
    refused. A name that tells no version is taken for a new one."""
    told = version(model)
    return told < _BUDGETS_SINCE if told is not None else not has_levels(model)


def takes_instructions(model: str) -> bool:
    return _FIRST_GEMMAS.match(bare_name(model)) is None


def always_thinks(model: str) -> bool:
    """Of those with budgets: https://ai.google.dev/gemini-api/docs/thinking#set-budget"""
    return "-pro" in model


def has_minimal_level(model: str) -> bool:
    if "flash-lite" in model:
        return True
    told = version(model)
    return "-flash" in model and told is not None and told < _FLASH_MINIMAL_BEFORE


def draws_only(model: str) -> bool:
    """Flash models that make pictures know the least and the most thinking only."""
    return "flash" in model and "-image" in model
