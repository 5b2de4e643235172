from dataclasses import dataclass, replace

from ...domain.organizations import Organization, organization_scope
from ..ports.organizations import Organizations
from .carried_limits import ordered_limits
from .limit_order import LimitOrder
from .list_organizations import ListOrganizations
from .names import check_models, check_own_name, taken_names_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationChange:
    """What is to be different. None leaves a thing as it is; the others are replaced whole."""

    name: str | None = None
    allowed_models: tuple[str, ...] | None = None
    limits: tuple[LimitOrder, ...] | None = None


@dataclass(frozen=True, slots=True)
class ChangeOrganization:
    """Open to administrators. Takes effect on every node within one second. Raises NotFound,
    InvalidRequest."""

    organizations: Organizations

    async def __call__(self, named: str, change: OrganizationChange) -> Organization:
        organization = await ListOrganizations(self.organizations).one(named)
        if change.name is not None:
            check_own_name(change.name)
            organization = replace(organization, name=change.name)
        if change.allowed_models is not None:
            check_models(change.allowed_models)
            organization = replace(organization, allowed_models=change.allowed_models)
        if change.limits is not None:
            limits = ordered_limits(change.limits, organization_scope(organization.id))
            organization = replace(organization, limits=limits)
        with taken_names_refused("organization", organization.name):
            await self.organizations.put(organization)
        return organization
