"""What the management endpoints take of organizations, teams and limits."""

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictBool, field_validator

from ....application.organizations.limit_order import LimitOrder
from ....domain.limits import Measure


class CountedBody(BaseModel):
    """What a limit counts."""

    model_config = ConfigDict(extra="forbid")

    id: str | None = None
    """Of no meaning, so that what was read may be sent back: it follows from what is counted."""
    measure: Measure
    per: int | str | None = None
    zone: str | None = None
    model: str | None = None
    end_user: str | None = None
    tag: str | None = None
    soft: StrictBool = False

    @field_validator("amount", "per", mode="before", check_fields=False)
    @classmethod
    def no_truth(cls, given: object) -> object:
        if isinstance(given, bool):
            raise ValueError("true and false are no numbers")  # noqa: TRY004  (pydantic's way)
        return given

    @field_validator("per", mode="before")
    @classmethod
    def whole_or_a_word(cls, given: object) -> object:
        if given is not None and not isinstance(given, int | str):
            raise ValueError("must be a word or a whole number")
        return given


class LimitBody(CountedBody):
    amount: Annotated[Decimal, Field(ge=0)]

    def order(self) -> LimitOrder:
        return LimitOrder(**self.model_dump(exclude={"id"}))


def orders(bodies: list[LimitBody]) -> tuple[LimitOrder, ...]:
    return tuple(body.order() for body in bodies)


class _CarrierBody(BaseModel):
    """Null is nothing that these could be."""

    model_config = ConfigDict(extra="forbid")

    allowed_models: list[str] = []
    limits: list[LimitBody] = []

    def given(self) -> dict[str, Any]:
        """What it says, as an order or a change takes it, and nothing of what it does not say."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        if "allowed_models" in given:
            given["allowed_models"] = tuple(self.allowed_models)
        if "limits" in given:
            given["limits"] = orders(self.limits)
        return given


class OrganizationBody(_CarrierBody):
    name: str


class OrganizationChangeBody(_CarrierBody):
    name: str = ""


class TeamBody(OrganizationBody):
    organization: str | None = None


class TeamChangeBody(OrganizationChangeBody):
    organization: str | None = None
