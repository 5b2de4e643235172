from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

from .admission import Ask
from .catalogue import EMPTY_CATALOGUE, Catalogue
from .limits import Limit
from .pricing import ModelPrice, PriceBook
from .routes import ModelRoute


class Prices(Protocol):
    def at(self, provider: str, model: str, now_ns: int) -> ModelPrice | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """What is supposed to have held.

    `limits` are all that do, by the id of whom they limit. `present` is the catalogue on record;
    `prices` go before its prices, and the routes of `routed` before its routes. Each call is made
    `scale` times, at the same moment.
    """

    limits: Mapping[UUID, Sequence[Limit]] = field(default_factory=dict)
    present: Catalogue = EMPTY_CATALOGUE
    prices: Prices = field(default_factory=PriceBook)
    routed: Catalogue = EMPTY_CATALOGUE
    scale: int = 1

    def __post_init__(self) -> None:
        if self.scale < 1:
            raise ValueError("a call is made at least once")

    def limits_of(self, ask: Ask) -> Sequence[Limit]:
        """Those of its key, and of the team and the organization whose it was then."""
        scopes = (ask.key_id, ask.team_id, ask.organization_id)
        return [limit for scope in scopes if scope for limit in self.limits.get(scope, ())]

    def route(self, model: str) -> ModelRoute | None:
        return self.routed.route(model) or self.present.route(model)

    def price(self, provider: str, model: str, at_ns: int) -> ModelPrice | None:
        supposed = self.prices.at(provider, model, at_ns)
        return supposed or self.present.prices.at(provider, model, at_ns)
