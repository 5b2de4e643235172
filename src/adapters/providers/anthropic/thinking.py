"""How much a model thinks: https://platform.claude.com/docs/en/build-with-claude/thinking and
…/effort. Older models are given a budget of tokens, newer ones a level, and refuse the other's."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...wire.budgets import MIN_BUDGET
from .models import Thinking, Traits

_OFF = frozenset({"none", "minimal"})
_BUDGETS = {"low": 2_048, "medium": 8_192, "high": 16_384, "xhigh": 16_384, "max": 16_384}
# What an answer is left, at the least, beside the thoughts before it.
_ANSWER = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Thoughts:
    """What is to be sent of `thinking`, `max_tokens` and `output_config`; `is_kept` says that the
    caller gets what he asked for."""

    max_tokens: int
    thinking: Mapping[str, Any] | None = None
    effort: str | None = None
    is_kept: bool = True

    @property
    def is_on(self) -> bool:
        return (self.thinking or {}).get("type") in ("enabled", "adaptive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`own` is what the caller wrote of Anthropic's own field, and then goes as it is."""

    effort: object = None
    own: object = None
    cap: int | None = None
    may_budget: bool = True


def thoughts(asked: Asked, model: Traits) -> Thoughts:
    cap = asked.cap or model.default_cap
    effort = asked.effort
    if isinstance(asked.own, dict):
        adaptive = asked.own.get("type") == "adaptive"
        level = _level(effort, model) if adaptive else None
        return Thoughts(
            max_tokens=_room(asked, asked.own.get("budget_tokens"), cap),
            thinking=asked.own,
            effort=level,
            is_kept=effort is None or level is not None,
        )
    if effort is None:
        return Thoughts(max_tokens=cap)
    if isinstance(effort, str) and effort in _OFF:
        return _without(cap, model)
    match model.thinking:
        case Thinking.ADAPTIVE if level := _level(effort, model):
            # Newer models else leave the text of their thoughts out.
            adaptive_ = {"type": "adaptive", "display": "summarized"}
            return Thoughts(max_tokens=cap, thinking=adaptive_, effort=level)
        case Thinking.BUDGET if asked.may_budget and isinstance(effort, str):
            return _with_budget(asked, _BUDGETS.get(effort), cap)
    return Thoughts(max_tokens=cap, is_kept=False)


def _without(cap: int, model: Traits) -> Thoughts:
    if model.off is None:
        return Thoughts(max_tokens=cap, effort="low", is_kept=False)
    return Thoughts(max_tokens=cap, thinking=model.off or None)


def _with_budget(asked: Asked, budget: int | None, cap: int) -> Thoughts:
    """A budget must be lower than the cap. Three quarters of it leave something for the answer."""
    if budget is not None and asked.cap is not None:
        budget = min(budget, asked.cap * 3 // 4)
    if budget is None or budget < MIN_BUDGET:
        return Thoughts(max_tokens=cap, is_kept=False)
    thinking = {"type": "enabled", "budget_tokens": budget}
    return Thoughts(max_tokens=_room(asked, budget, cap), thinking=thinking)


def _room(asked: Asked, budget: object, cap: int) -> int:
    if asked.cap is not None or not isinstance(budget, int):
        return cap
    return max(cap, budget + _ANSWER)


def _level(effort: object, model: Traits) -> str | None:
    if effort == "xhigh":
        return "xhigh" if model.knows_xhigh else "max"
    return effort if isinstance(effort, str) and effort in _BUDGETS else None
