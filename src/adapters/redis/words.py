"""A counter of the domain's as the server keeps it: see rate_window.lua and cost_ledger.lua."""

from ...domain.cost_ledger import CostLedger
from ...domain.limits import Counter
from ...domain.rate_window import RateWindow

_NS_PER_US = 1000
_NS_PER_MS = 10**6
_HOUR_MS = 3600 * 1000
_DAY_MS = 24 * _HOUR_MS


def words_of(counter: Counter, now_ns: int) -> tuple[str, list[str]]:
    """How long it is kept, in milliseconds, empty for ever; and its fields and values, in turn. A
    correction may have given back more than there was: no counter is below 0 there."""
    if isinstance(counter, RateWindow):
        return str(2 * counter.length_ns // _NS_PER_MS + _HOUR_MS), _of_window(counter)
    return _to_live(counter, now_ns), _of_ledger(counter)


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
        return ""
    return str(max(0, ledger.ends_ns - now_ns) // _NS_PER_MS + _DAY_MS)
