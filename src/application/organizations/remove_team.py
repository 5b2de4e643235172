from dataclasses import dataclass

from ...domain.errors import InvalidRequest, NotFound
from ...domain.organizations import Team
from ..ports.organizations import HasMembers, Organizations
from .list_organizations import ListOrganizations


@dataclass(frozen=True, slots=True)
class RemoveTeam:
    """Open to administrators. With its limits; what it has spent stays on record. Keys that are
    revoked leave it. Raises NotFound, or InvalidRequest while it has others."""

    organizations: Organizations

    async def __call__(self, named: str) -> Team:
        team = await ListOrganizations(self.organizations).team(named)
        try:
            if not await self.organizations.remove_team(team.id):
                raise NotFound("team", named)
        except HasMembers as error:
            raise InvalidRequest(
                f"The team {team.path!r} still has the keys: {error}.", param="team"
            ) from error
        return team
