from dataclasses import dataclass

from ...domain.ids import TeamId
from ...domain.organizations import Team, team_scope
from ..ports.entropy import Entropy
from ..ports.organizations import Organizations
from .carried_limits import ordered_limits
from .limit_order import LimitOrder
from .list_organizations import ListOrganizations
from .names import check_models, check_own_name, missing_refused, taken_names_refused


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
        check_own_name(order.name)
        check_models(order.allowed_models)
        id_ = TeamId(self.entropy.uuid())
        with missing_refused("organization"), taken_names_refused("team", order.name):
            organization = None
            if order.organization is not None:
                organization = await ListOrganizations(self.organizations).one(order.organization)
            team = Team(
                id=id_,
                name=order.name,
                organization=organization,
                allowed_models=order.allowed_models,
                limits=ordered_limits(order.limits, team_scope(id_)),
            )
            await self.organizations.put_team(team)
        return team
