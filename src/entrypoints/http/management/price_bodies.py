"""What the endpoints of prices take. Unknown fields are refused, as in `bodies.py`."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from ....domain.errors import InvalidRequest
from ....domain.money import Money
from ....domain.pricing import DatedPrice, ModelPrice, Rates, Tier
from ...times import to_ns

_TOKENS_PER_MTOK = 1_000_000

UsdPerMtok = Annotated[Decimal, Field(ge=0, decimal_places=6, max_digits=18)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


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


class SyncBody(_Body):
    """Nothing is written unless it is applied."""

    apply: bool = False
    force: bool = False
