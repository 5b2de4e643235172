from collections.abc import Sequence
from typing import NamedTuple

from ...domain.admission import Ask, Counted, counted
from ...domain.limits import Limit
from .counters import Key, key_of

_MOST_KEPT = 10_000


class Plan(NamedTuple):
    """Which of some limits count a call, and where their counters are kept."""

    limits: Sequence[Limit]
    counting: Sequence[Counted]
    keys: Sequence[Key]


class Plans:
    """Kept for keys whose calls are all counted alike: then it is looked up, and not made."""

    def __init__(self) -> None:
        # By the ids' numbers: Python hashes those ten times faster than UUIDs.
        self._kept: dict[int, Plan] = {}

    def of(self, ask: Ask, limits: Sequence[Limit]) -> Plan:
        kept = self._kept.get(ask.key_id.int)
        if kept is not None and kept.limits is limits:
            return kept
        counting = counted(ask, limits)
        plan = Plan(limits, counting, [key_of(counter_id) for _, counter_id in counting])
        # A tuple cannot become another one later.
        if isinstance(limits, tuple) and not any(limit.is_narrow for limit in limits):
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[ask.key_id.int] = plan
        return plan
