from dataclasses import dataclass

from ...domain.organizations import Organization
from ..ports.organizations import Organizations
from .described import described
from .limit_order import LimitOrder
from .list_organizations import ListOrganizations
from .names import taken_names_refused


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
        present = await ListOrganizations(self.organizations).one(named)
        with taken_names_refused("organization", change.name or present.name):
            return await self.organizations.change(
                present.id, lambda organization: described(organization, change)
            )
