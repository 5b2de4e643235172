from dataclasses import dataclass, replace

from ...domain.ids import TeamId
from ...domain.organizations import Team
from ..ports.entropy import Entropy
from ..ports.organizations import Organizations
from .described import described
from .limit_order import LimitOrder
from .list_organizations import ListOrganizations
from .names import missing_refused, taken_names_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamOrder:
    """What a new team is to be. `organization` is an id or a name; None: a team of nobody else."""

    name: str
    organization: str | None = None
    allowed_models: tuple[str, ...] = ()
    limits: tuple[LimitOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class DefineTeam:
    """Open to administrators. Raises InvalidRequest."""

    organizations: Organizations
    entropy: Entropy

    async def __call__(self, order: TeamOrder) -> Team:
        team = described(Team(id=TeamId(self.entropy.uuid()), name=order.name), order)
        with missing_refused("organization"), taken_names_refused("team", order.name):
            if order.organization is not None:
                found = await ListOrganizations(self.organizations).one(order.organization)
                team = replace(team, organization=found)
            await self.organizations.put_team(team)
        return team
