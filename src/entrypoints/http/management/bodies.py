"""What the management endpoints take. Unknown fields are refused, so that a typing mistake is not
taken for consent."""

from dataclasses import replace
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from ....domain.limits import Limits
from ....domain.money import Money
from ....domain.routes import ModelRoute, Target, Unbounded, Unsupported
from .blame import blamed_on
from .limit_bodies import LimitBody
from .moments import Moment

Count = Annotated[int, Field(ge=0, le=10**15, strict=True)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class KeyBody(_Body):
    name: str = ""
    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    allowed_models: list[str] = []
    expires_at: Moment | None = None
    team: str | None = None
    limits: list[LimitBody] = []

    def usual_limits(self, present: Limits) -> Limits:
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


class CorrectionBody(_Body):
    """What the call came to; what is left out stays as it is."""

    reason: str
    usage: dict[str, Count] | None = None
    cost_usd: Annotated[Decimal, Field(ge=0, decimal_places=12, max_digits=30)] | None = None

    @property
    def cost(self) -> Money | None:
        return None if self.cost_usd is None else Money.from_usd(self.cost_usd)


class ProviderBody(_Body):
    kind: str
    base_url: str | None = None
    needs_credential: StrictBool = True


class TargetBody(_Body):
    provider: str
    model: str
    order: Annotated[int, Field(ge=0, le=1000, strict=True)] = 0
    weight: Annotated[int, Field(ge=1, le=10**6, strict=True)] = 1


class RouteBody(_Body):
    targets: Annotated[list[TargetBody], Field(min_length=1)]
    aliases: list[str] = []
    output_cap: Annotated[int, Field(ge=1, le=10**9, strict=True)] | None = None
    unsupported: Unsupported = Unsupported.DROP
    unbounded: Unbounded = Unbounded.REFUSE
    shrink: StrictBool = False

    def route(self, model: str) -> ModelRoute:
        with blamed_on("targets"):
            route = ModelRoute(
                model=model,
                output_cap=self.output_cap,
                unsupported=self.unsupported,
                unbounded=self.unbounded,
                shrink=self.shrink,
                targets=tuple(Target(**target.model_dump()) for target in self.targets),
            )
        with blamed_on("aliases"):
            return replace(route, aliases=tuple(self.aliases))
