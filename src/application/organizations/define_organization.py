from dataclasses import dataclass

from ...domain.ids import OrganizationId
from ...domain.organizations import Organization
from ..ports.entropy import Entropy
from ..ports.organizations import Organizations
from .described import described
from .limit_order import LimitOrder
from .names import taken_names_refused


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
        new = Organization(id=OrganizationId(self.entropy.uuid()), name=order.name)
        organization = described(new, order)
        with taken_names_refused("organization", order.name):
            await self.organizations.put(organization)
        return organization
