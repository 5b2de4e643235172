"""OpenAI's `reasoning_effort` as Google's own OpenAI-compatible endpoint maps it:
https://ai.google.dev/gemini-api/docs/openai#thinking"""

from typing import Any

from .families import always_thinks, draws_only, has_budgets, has_levels, has_minimal_level
from .paths import bare_name

_BUDGETS = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576}
_LEAST_BUDGET_OF_PRO = 128
_LEVELS = {"none": "MINIMAL", "minimal": "MINIMAL", "low": "LOW", "medium": "MEDIUM"}
_MOST = frozenset({"high", "xhigh", "max"})


def thinking_config(effort: object, model: str) -> dict[str, Any] | None:
    """None where the model cannot be told, or the effort is none that is known. Thoughts come
    along unless there should be none."""
    if not isinstance(effort, str) or effort not in _LEVELS.keys() | _MOST:
        return None
    effort = "high" if effort in _MOST else effort
    if has_levels(model):
        config: dict[str, Any] = {"thinkingLevel": _level(effort, model)}
    elif has_budgets(model):
        config = {"thinkingBudget": _budget(effort, model)}
    else:
        return None
    return config if effort == "none" else {**config, "includeThoughts": True}


def _level(effort: str, model: str) -> str:
    """These models cannot be kept from thinking: the least is what comes nearest."""
    level = _LEVELS.get(effort, "HIGH")
    if draws_only(model):
        return "MINIMAL" if level in {"MINIMAL", "LOW"} else "HIGH"
    if level == "MINIMAL" and not has_minimal_level(model):
        return "LOW"
    if level == "MEDIUM" and bare_name(model).startswith("gemini-3-pro"):
        return "HIGH"
    return level


def _budget(effort: str, model: str) -> int:
    if effort == "none":
        return _LEAST_BUDGET_OF_PRO if always_thinks(model) else 0
    return _BUDGETS[effort]
