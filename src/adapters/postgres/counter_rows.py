from typing import Any

from ...domain.cost_ledger import CostLedger
from ...domain.limits import Counter, Limit, Sliding
from ...domain.rate_window import RateWindow


def counter_of(limit: Limit, row: Any) -> Counter:
    """What a row of `langroute.counters` holds, as the limit counts."""
    if isinstance(limit.window, Sliding):
        return RateWindow(
            length_ns=row.length_ns,
            numbers=tuple(row.numbers),
            amounts=tuple(map(int, row.amounts)),
            total=int(row.total),
            oldest=row.oldest,
        )
    return CostLedger(
        period=limit.window,
        began_ns=row.began_ns,
        ends_ns=row.ends_ns,
        spent=int(row.spent),
        reserved=int(row.reserved),
    )
