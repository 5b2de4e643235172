"""What the management endpoints take. Unknown fields are refused, so that a typing mistake is not
taken for consent."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ....domain.errors import InvalidRequest
from ....domain.limits import Limits
from ....domain.money import Money
from ....domain.pricing import DatedPrice, ModelPrice, Rates, Tier
from ....domain.routes import ModelRoute, Target, Unsupported
from ...times import to_ns

_TOKENS_PER_MTOK = 1_000_000


Count = Annotated[int, Field(ge=0, le=10**15, strict=True)]
UsdPerMtok = Annotated[Decimal, Field(ge=0, decimal_places=6, max_digits=18)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KeyBody(_Body):
    name: str = ""
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    allowed_models: list[str] = []
    expires_at: datetime | None = None

    def limits(self, present: Limits) -> Limits:
        """Those given replace those present; null lifts a limit."""
        given = self.model_fields_set
        return Limits(
            requests_per_minute=self.requests_per_minute
            if "requests_per_minute" in given
            else present.requests_per_minute,
            tokens_per_minute=self.tokens_per_minute
            if "tokens_per_minute" in given
            else present.tokens_per_minute,
        )


class SaveKeysBody(_Body):
    """The original's form."""

    virtualKey: str  # noqa: N815
    openaiKey: str | None = None  # noqa: N815
    mistralKey: str | None = None  # noqa: N815


class CredentialBody(_Body):
    secret: Annotated[str, Field(min_length=1)]


class ProviderBody(_Body):
    kind: str
    base_url: str | None = None
    needs_credential: bool = True


class TargetBody(_Body):
    provider: str
    model: str
    order: Annotated[int, Field(ge=0, le=1000)] = 0
    weight: Annotated[int, Field(ge=1, le=10**6)] = 1


class RouteBody(_Body):
    targets: Annotated[list[TargetBody], Field(min_length=1)]
    aliases: list[str] = []
    output_cap: Annotated[int, Field(ge=1, le=10**9)] | None = None
    unsupported: Unsupported = Unsupported.DROP

    def route(self, model: str) -> ModelRoute:
        try:
            return ModelRoute(
                model=model,
                aliases=tuple(self.aliases),
                output_cap=self.output_cap,
                unsupported=self.unsupported,
                targets=tuple(Target(**target.model_dump()) for target in self.targets),
            )
        except ValueError as error:
            raise InvalidRequest(f"{error}.", param="targets") from error


class RatesBody(_Body):
    """US dollars a million tokens."""

    input: UsdPerMtok
    output: UsdPerMtok
    cached_input: UsdPerMtok | None = None
    cache_write: UsdPerMtok | None = None
    audio_input: UsdPerMtok | None = None
    image_input: UsdPerMtok | None = None
    reasoning: UsdPerMtok | None = None
    audio_output: UsdPerMtok | None = None
    image_output: UsdPerMtok | None = None

    def rates(self) -> Rates:
        given: dict[str, Any] = {
            name: Money.from_usd(getattr(self, name) / _TOKENS_PER_MTOK)
            for name in RatesBody.model_fields
            if getattr(self, name) is not None
        }
        return Rates(**given)


class TierBody(RatesBody):
    above_prompt_tokens: Annotated[int, Field(ge=1, le=10**12)]


class PriceBody(RatesBody):
    provider: str
    model: Annotated[str, Field(min_length=1)]
    effective_from: datetime | None = None
    tiers: list[TierBody] = []

    def price(self, now_ns: int) -> DatedPrice:
        try:
            price = ModelPrice(
                rates=self.rates(),
                tiers=tuple(
                    Tier(above_prompt_tokens=tier.above_prompt_tokens, rates=tier.rates())
                    for tier in self.tiers
                ),
            )
        except ValueError as error:
            raise InvalidRequest(f"{error}.", param="tiers") from error
        return DatedPrice(
            provider=self.provider,
            model=self.model,
            effective_from_ns=to_ns(self.effective_from) if self.effective_from else now_ns,
            price=price,
        )
