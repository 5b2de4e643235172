from dataclasses import dataclass, replace

from ...domain.organizations import Team
from ..ports.organizations import Organizations
from .described import described
from .limit_order import LimitOrder
from .list_organizations import ListOrganizations
from .names import missing_refused, taken_names_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamChange:
    """What is to be different. None leaves a thing as it is; the others are replaced whole.
    `leaves` its organization, or moves to `organization`, an id or a name."""

    name: str | None = None
    organization: str | None = None
    leaves: bool = False
    allowed_models: tuple[str, ...] | None = None
    limits: tuple[LimitOrder, ...] | None = None


@dataclass(frozen=True, slots=True)
class ChangeTeam:
    """Open to administrators. Takes effect on every node within one second. What its keys have
    used stays counted for the organization that it leaves. Raises NotFound, InvalidRequest."""

    organizations: Organizations

    async def __call__(self, named: str, change: TeamChange) -> Team:
        team = described(await ListOrganizations(self.organizations).team(named), change)
        with missing_refused("organization"), taken_names_refused("team", team.name):
            if change.leaves:
                team = replace(team, organization=None)
            elif change.organization is not None:
                found = await ListOrganizations(self.organizations).one(change.organization)
                team = replace(team, organization=found)
            await self.organizations.put_team(team)
        return team
