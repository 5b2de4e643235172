"""What the endpoints of prices take. Unknown fields are refused, as in `bodies.py`."""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool

from ....application.catalogue.set_price import PriceOrder
from ....application.ports.charged_calls import ChargedQuery
from ....domain.money import Money
from ....domain.pricing import ModelPrice, Rates, Service, Tier
from ....domain.services import service_named
from ....domain.units import UnitRates
from ...times import to_ns
from .blame import blamed_on, within
from .moments import Moment

_TOKENS_PER_MTOK = 1_000_000


def _service_name(told: str) -> str:
    if service_named(told) is None:
        raise ValueError("must be the name of a service beside the ordinary one, such as flex")
    return told


Name = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^[^\x00]*$")]
ServiceName = Annotated[str, AfterValidator(_service_name)]
Usd = Annotated[Decimal, Field(ge=0, decimal_places=12, max_digits=30)]
UsdPerMtok = Annotated[Decimal, Field(ge=0, decimal_places=6, max_digits=18)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class RatesBody(_Body):
    """US dollars a million tokens."""

    input: UsdPerMtok
    output: UsdPerMtok
    cached_input: UsdPerMtok | None = None
    cached_audio_input: UsdPerMtok | None = None
    cached_image_input: UsdPerMtok | None = None
    cache_write: UsdPerMtok | None = None
    cache_write_1h: UsdPerMtok | None = None
    audio_input: UsdPerMtok | None = None
    image_input: UsdPerMtok | None = None
    reasoning: UsdPerMtok | None = None
    audio_output: UsdPerMtok | None = None
    image_output: UsdPerMtok | None = None

    def rates(self) -> Rates:
        given: dict[str, Any] = {
            name: Money.from_usd(getattr(self, name) / _TOKENS_PER_MTOK)
            for name in Rates.__slots__
            if getattr(self, name) is not None
        }
        return Rates(**given)


class TierBody(RatesBody):
    above_prompt_tokens: Annotated[int, Field(ge=1, le=10**12, strict=True)]


class ServiceBody(RatesBody):
    """Of one service: the ordinary one, or one beside it."""

    tiers: list[TierBody] = []
    units: dict[str, Usd] = {}

    def model_price(self, services: tuple[Service, ...] = ()) -> ModelPrice:
        """Raises InvalidRequest."""
        tiers = tuple(
            Tier(above_prompt_tokens=tier.above_prompt_tokens, rates=tier.rates())
            for tier in self.tiers
        )
        with blamed_on("units"):
            units = UnitRates({name: Money.from_usd(usd) for name, usd in self.units.items()})
        with blamed_on("tiers"):
            ordinary = ModelPrice(rates=self.rates(), tiers=tiers, units=units)
        with blamed_on("services"):
            return replace(ordinary, services=services)


class PriceBody(ServiceBody):
    provider: Name
    model: Name
    effective_from: Moment | None = None
    services: dict[ServiceName, ServiceBody] = {}

    def order(self) -> PriceOrder:
        """Raises InvalidRequest."""
        services = []
        for name, body in sorted(self.services.items()):
            with within(f"services.{name}"):
                services.append(Service(name, body.model_price()))
        return _order(self, self.model_price(tuple(services)))


class ServicePriceBody(ServiceBody):
    """Of one service alone: what else a model costs stays."""

    provider: Name
    model: Name
    service: ServiceName
    effective_from: Moment | None = None

    def order(self) -> PriceOrder:
        """Raises InvalidRequest."""
        return _order(self, self.model_price())


def _order(body: PriceBody | ServicePriceBody, price: ModelPrice) -> PriceOrder:
    return PriceOrder(
        provider=body.provider,
        model=body.model,
        price=price,
        from_ns=to_ns(body.effective_from) if body.effective_from else None,
    )


class ReRateBody(_Body):
    """Which calls. Nothing is written unless it is applied, which wants a reason."""

    provider: Name
    model: Name
    since: Annotated[Moment, Field(alias="from")]
    until: Moment
    reason: str = ""
    apply: StrictBool = False

    def query(self) -> ChargedQuery:
        return ChargedQuery(
            provider=self.provider,
            model=self.model,
            from_ns=to_ns(self.since),
            until_ns=to_ns(self.until),
        )


class SyncBody(_Body):
    """Nothing is written unless it is applied."""

    apply: StrictBool = False
    force: StrictBool = False
