"""A counter of the domain's as the server keeps it: see rate_window.lua and cost_ledger.lua."""

from collections.abc import Mapping

from ...domain.cost_ledger import CostLedger
from ...domain.limits import Counter, Limit
from ...domain.rate_window import RateWindow

_NS_PER_US = 1000
_NS_PER_MS = 10**6
_HOUR_MS = 3600 * 1000
_DAY_MS = 24 * _HOUR_MS
# As in cost_ledger.lua.
_FOR_GOOD_MS = 93 * _DAY_MS


def words_of(counter: Counter, now_ns: int) -> tuple[str, list[str]]:
    """How long it is kept, in milliseconds; and its fields and values, in turn. A
    correction may have given back more than there was: no counter is below 0 there."""
    if isinstance(counter, RateWindow):
        return str(2 * counter.length_ns // _NS_PER_MS + _HOUR_MS), _of_window(counter)
    return _to_live(counter, now_ns), _of_ledger(counter)


def counter_of(limit: Limit, words: Mapping[str, str]) -> Counter:
    """The other way. Without words it is as if it had never counted."""
    fresh = limit.fresh()
    if not words:
        return fresh
    if isinstance(fresh, RateWindow):
        slots = sorted((int(name), int(word)) for name, word in words.items() if name.isdecimal())
        return fresh._replace(
            numbers=tuple(number for number, _ in slots),
            amounts=tuple(amount for _, amount in slots),
            total=int(words["total"]),
            oldest=int(words["oldest"]),
        )
    return fresh._replace(
        began_ns=int(words["began"]) * _NS_PER_US,
        ends_ns=int(words["ends"]) * _NS_PER_US if words["ends"] else None,
        spent=int(words["spent"]),
        reserved=int(words["reserved"]),
    )


def _of_window(window: RateWindow) -> list[str]:
    slots = [(slot.number, max(0, slot.amount)) for slot in window.slots]
    words = ["total", str(sum(amount for _, amount in slots)), "oldest", str(window.oldest)]
    if slots:
        words += ["first", str(slots[0][0]), "newest", str(slots[-1][0])]
    for number, amount in slots:
        words += [str(number), str(amount)]
    return words


def _of_ledger(ledger: CostLedger) -> list[str]:
    ends = "" if ledger.ends_ns is None else str(ledger.ends_ns // _NS_PER_US)
    return [
        *("began", str(ledger.began_ns // _NS_PER_US), "ends", ends),
        *("spent", str(max(0, ledger.spent)), "reserved", str(ledger.reserved)),
    ]


def _to_live(ledger: CostLedger, now_ns: int) -> str:
    if ledger.ends_ns is None:
        return str(_FOR_GOOD_MS)
    return str(max(0, ledger.ends_ns - now_ns) // _NS_PER_MS + _DAY_MS)
