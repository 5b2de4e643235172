from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from ...domain.errors import InvalidRequest, NotFound
from ...domain.ids import OrganizationId, TeamId
from ...domain.organizations import Organization, Team
from ..ports.organizations import Organizations
from .names import missing_refused


@dataclass(frozen=True, slots=True)
class ListOrganizations:
    """Open to administrators. Organizations and teams, all of them or the one that is named: by
    its id or its name; a team also as `organization/team`."""

    store: Organizations

    async def __call__(self) -> Sequence[Organization]:
        return await self.store.organizations()

    async def teams(self) -> Sequence[Team]:
        return await self.store.teams()

    async def one(self, named: str) -> Organization:
        """Raises NotFound."""
        for organization in await self.store.organizations():
            if organization.name == named or organization.id == _id(named):
                return organization
        raise NotFound("organization", named)

    async def team(self, named: str) -> Team:
        """Raises NotFound; InvalidRequest for a name that several have."""
        teams = await self.store.teams()
        for team in teams:
            if team.path == named or team.id == _id(named):
                return team
        called_so = [team for team in teams if team.name == named]
        if len(called_so) > 1:
            paths = ", ".join(team.path for team in called_so)
            raise InvalidRequest(f"Several teams are called {named!r}: {paths}.", param="team")
        if not called_so:
            raise NotFound("team", named)
        return called_so[0]

    async def organization_id(self, named: str) -> OrganizationId:
        """For a report, which by its id may be of one that is no more. Raises InvalidRequest."""
        with missing_refused("organization"):
            return OrganizationId(_id(named) or (await self.one(named)).id)

    async def team_id(self, named: str) -> TeamId:
        """The same."""
        with missing_refused("team"):
            return TeamId(_id(named) or (await self.team(named)).id)


def _id(named: str) -> UUID | None:
    try:
        return UUID(named)
    except ValueError:
        return None
