"""What is supposed, as `POST /api/simulate` and the command line take it."""

from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from ....application.ledger.simulation_order import LimitChange, SimulationOrder
from ....application.organizations.limit_order import LimitOrder
from ....domain.errors import InvalidRequest
from ....domain.scopes import ScopeKind
from ...times import to_ns
from .blame import within
from .bodies import RouteBody
from .limit_bodies import CountedBody
from .moments import Moment
from .price_bodies import PriceBody

_MOST = 100
_NONE = "none"


class SupposedLimitBody(CountedBody):
    """Of one carrier, by its id or name, or of each. An amount of null lifts the limit."""

    key: str | None = None
    team: str | None = None
    organization: str | None = None
    amount: Annotated[Decimal, Field(ge=0)] | None

    @field_validator("amount", mode="before")
    @classmethod
    def none_in_a_word(cls, given: object) -> object:
        return None if given == _NONE else given

    def change(self, at: str) -> LimitChange:
        named = {kind: name for kind in ScopeKind if (name := getattr(self, kind)) is not None}
        if len(named) != 1:
            raise InvalidRequest(f"'{at}': give one of 'key', 'team' and 'organization'.", param=at)
        ((kind, name),) = named.items()
        told = self.model_dump(exclude={"id", "amount", *ScopeKind})
        order = LimitOrder(amount=self.amount or Decimal(0), **told)
        return LimitChange(kind=kind, named=name, order=order, lifted=self.amount is None)


class SupposedRouteBody(RouteBody):
    model: Annotated[str, Field(min_length=1)]


class SimulationBody(BaseModel):
    """Which calls, and what is supposed. A price without a date is that of all of them."""

    model_config = ConfigDict(extra="forbid")

    since: Annotated[Moment, Field(alias="from")]
    until: Moment | None = None
    limits: Annotated[list[SupposedLimitBody], Field(max_length=_MOST)] = []
    without_limits: StrictBool = False
    prices: Annotated[list[PriceBody], Field(max_length=_MOST)] = []
    list_prices: StrictBool = False
    routes: Annotated[list[SupposedRouteBody], Field(max_length=_MOST)] = []
    scale: Annotated[int, Field(ge=1, strict=True)] = 1

    def order(self) -> SimulationOrder:
        """Raises InvalidRequest, naming the field."""
        prices, routes = [], []
        for index, price in enumerate(self.prices):
            with within(f"prices.{index}"):
                prices.append(price.order().dated(now_ns=0))
        for index, route in enumerate(self.routes):
            with within(f"routes.{index}"):
                routes.append(route.route(route.model))
        return SimulationOrder(
            from_ns=to_ns(self.since),
            until_ns=None if self.until is None else to_ns(self.until),
            limits=[each.change(f"limits.{index}") for index, each in enumerate(self.limits)],
            without_limits=self.without_limits,
            prices=prices,
            list_prices=self.list_prices,
            routes=routes,
            scale=self.scale,
        )
