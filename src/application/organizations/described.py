"""What an organization and a team have in common: a name, models, limits."""

from dataclasses import replace
from typing import Protocol, TypeVar

from ...domain.organizations import Organization, Team
from .carried_limits import ordered_limits
from .limit_order import LimitOrder
from .names import check_models, check_own_name

Described = TypeVar("Described", Organization, Team)


class Description(Protocol):
    """Of a new one, or of what is to be different. None leaves a thing as it is; the others are
    replaced whole."""

    @property
    def name(self) -> str | None: ...

    @property
    def allowed_models(self) -> tuple[str, ...] | None: ...

    @property
    def limits(self) -> tuple[LimitOrder, ...] | None: ...


def described(one: Described, description: Description) -> Described:
    """Raises InvalidRequest."""
    if description.name is not None:
        check_own_name(description.name)
        one = replace(one, name=description.name)
    if description.allowed_models is not None:
        check_models(description.allowed_models)
        one = replace(one, allowed_models=description.allowed_models)
    if description.limits is not None:
        one = replace(one, limits=ordered_limits(description.limits, one.scope))
    return one
