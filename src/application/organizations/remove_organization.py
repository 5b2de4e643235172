from dataclasses import dataclass

from ...domain.errors import InvalidRequest, NotFound
from ...domain.organizations import Organization
from ..ports.organizations import HasMembers, Organizations
from .list_organizations import ListOrganizations


@dataclass(frozen=True, slots=True)
class RemoveOrganization:
    """Open to administrators. With its limits; what it has spent stays on record. Raises NotFound,
    or InvalidRequest while it has teams."""

    organizations: Organizations

    async def __call__(self, named: str) -> Organization:
        organization = await ListOrganizations(self.organizations).one(named)
        try:
            if not await self.organizations.remove(organization.id):
                raise NotFound("organization", named)
        except HasMembers as error:
            raise InvalidRequest(
                f"The organization {organization.name!r} still has the teams: {error}.",
                param="organization",
            ) from error
        return organization
