"""A call that may be made smaller, so that what is left of its limits admits it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from .admission import Ask
from .limits import Measure, Standing
from .money import Money

CostBound = Callable[[int], Money]
"""The most that a call can cost that writes so many tokens: never less for more of them."""


def shrunk(
    ask: Ask, cap: int, choices: int, cost_bound: CostBound, standings: Sequence[Standing]
) -> tuple[int, Ask] | None:
    """The largest cap, of at most `cap` tokens for each of the `choices`, that fits into what is
    left of every hard limit of tokens and of money, and the call with it. None where not even one
    token fits, and where another limit, such as one of requests, leaves no room for any call."""
    hard = [each for each in standings if not each.limit.soft]
    rejected = ask.output_bound - cap * choices  # which no cap can make smaller

    def smaller(tokens: int) -> Ask:
        output = tokens * choices + rejected
        return replace(ask, output_bound=output, cost_bound=cost_bound(output))

    def fits(tokens: int) -> bool:
        asked = smaller(tokens)
        return all(
            each.used + asked.amount(each.limit.measure) <= each.limit.amount for each in hard
        )

    if cap < 1 or not fits(1):
        return None
    # Bisected: prices have tiers, and classes of tokens of which any may be the dearest.
    low, high = 1, _room(ask.input_bound + rejected, cap, choices, hard)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low, smaller(low)


def _room(taken: int, cap: int, choices: int, hard: Sequence[Standing]) -> int:
    """What the limits of tokens leave for each choice: no prices are needed for that."""
    left = (
        (each.limit.amount - each.used - taken) // choices
        for each in hard
        if each.limit.measure is Measure.TOKENS
    )
    return max(1, min((cap, *left)))
