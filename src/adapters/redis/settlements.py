from collections.abc import Sequence

from ...domain.admission import Reservation, used_amounts
from ...domain.limits import Limit, Measure
from ...domain.money import Money
from ...domain.usage import TokenUsage
from .names import call_key, counter_key, counter_name, leases_key, tenant_of
from .orders import Order
from .periods import period_around
from .scripts import SETTLE

_MEASURES = (Measure.REQUESTS, Measure.TOKENS, Measure.MONEY, Measure.PARALLEL)
_NOTHING = ("0", "0", "0", "0")


def settlement(
    reservation: Reservation,
    limits: Sequence[Limit],
    usage: TokenUsage,
    cost: Money,
    now: str,
    about_ns: int,
) -> Order:
    """`limits` are those of the claims, where they are known. See `Question` for `now`."""
    amounts = used_amounts(usage, cost)
    used = [str(amounts[measure]) for measure in _MEASURES]
    periods = [each for limit in limits for each in period_around(limit, about_ns)]
    return _order("settle", reservation, now, [*used, *periods], limits)


def undoing(reservation: Reservation, now: str) -> Order:
    """For a call that was given up, and may have been admitted, or may still be."""
    return _order("undo", reservation, now, _NOTHING)


def _order(
    mode: str,
    reservation: Reservation,
    now: str,
    further: Sequence[str],
    limits: Sequence[Limit] = (),
) -> Order:
    call = reservation.ask.request_id.hex
    tenant = tenant_of(reservation.ask).hex
    counters = (
        counter_key(tenant, counter_name(limit, claim.counter.name))
        for limit, claim in zip(limits, reservation.claims, strict=False)
    )
    return Order(
        script=SETTLE,
        keys=[call_key(tenant, call), leases_key(tenant), *counters],
        args=[mode, now, call, *further],
    )
