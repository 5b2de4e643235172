from collections.abc import Sequence
from dataclasses import dataclass

from ...domain.pricing import DatedPrice
from ...domain.routes import ModelRoute
from ...domain.scopes import ScopeKind
from ..organizations.limit_order import LimitOrder

EACH = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitChange:
    """A limit that one carrier is supposed to have, or, if it is `lifted`, not to have: then what
    counts is what it counts. `named` is the carrier's id or name; EACH is all of that kind."""

    kind: ScopeKind
    named: str
    order: LimitOrder
    lifted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationOrder:
    """What is to be told again, and what is supposed, as an administrator says it.

    Times are Unix nanoseconds, the end exclusive; without one, it is now. Limits are changed one by
    one, unless all that there are shall not hold (`without_limits`). A price of the moment 0 is
    that of all calls; `list_prices` go before those on record, too.
    """

    from_ns: int
    until_ns: int | None = None
    limits: Sequence[LimitChange] = ()
    without_limits: bool = False
    prices: Sequence[DatedPrice] = ()
    list_prices: bool = False
    routes: Sequence[ModelRoute] = ()
    scale: int = 1
