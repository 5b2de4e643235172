from dataclasses import dataclass

from ...domain.ids import OrganizationId
from ...domain.organizations import Organization, organization_scope
from ..ports.entropy import Entropy
from ..ports.organizations import Organizations
from .carried_limits import ordered_limits
from .limit_order import LimitOrder
from .names import check_models, check_own_name, taken_names_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class OrganizationOrder:
    """What a new organization is to be."""

    name: str
    allowed_models: tuple[str, ...] = ()
    limits: tuple[LimitOrder, ...] = ()


@dataclass(frozen=True, slots=True)
class DefineOrganization:
    """Open to administrators. Raises InvalidRequest."""

    organizations: Organizations
    entropy: Entropy

    async def __call__(self, order: OrganizationOrder) -> Organization:
        check_own_name(order.name)
        check_models(order.allowed_models)
        id_ = OrganizationId(self.entropy.uuid())
        organization = Organization(
            id=id_,
            name=order.name,
            allowed_models=order.allowed_models,
            limits=ordered_limits(order.limits, organization_scope(id_)),
        )
        with taken_names_refused("organization", order.name):
            await self.organizations.put(organization)
        return organization
