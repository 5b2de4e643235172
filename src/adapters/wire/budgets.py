"""How much Claude may think, as its callers say it in tokens:
https://docs.anthropic.com/en/docs/build-with-claude/extended-thinking"""

from typing import Any

MIN_BUDGET = 1_024


def within(thinking: Any, cap: int) -> tuple[Any, tuple[str, ...]]:
    """A budget of the caller's own has to be smaller than the cap, also than one that the gateway
    has lowered, and has a least size: what is sent, and the names of what is then left out."""
    budget = thinking.get("budget_tokens") if isinstance(thinking, dict) else None
    if type(budget) is not int or budget < cap:
        return thinking, ()
    smaller = cap * 3 // 4
    if smaller < MIN_BUDGET:
        return {"type": "disabled"}, ("thinking",)
    return {**thinking, "budget_tokens": smaller}, ("thinking.budget_tokens",)
