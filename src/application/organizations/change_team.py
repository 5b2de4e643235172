from dataclasses import dataclass, replace

from ...domain.organizations import Organization, Team
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
        listed = ListOrganizations(self.organizations)
        present = await listed.team(named)
        with (
            missing_refused("organization"),
            taken_names_refused("team", change.name or present.name),
        ):
            joined = None
            if change.organization is not None and not change.leaves:
                joined = await listed.one(change.organization)
            return await self.organizations.change_team(
                present.id, lambda team: _changed(team, change, joined)
            )


def _changed(team: Team, change: TeamChange, joined: Organization | None) -> Team:
    if change.leaves:
        team = replace(team, organization=None)
    elif joined is not None:
        team = replace(team, organization=joined)
    return described(team, change)
