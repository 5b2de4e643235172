from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

from ...application.ports.organizations import HasMembers, NameTaken, Organizations
from ...domain.errors import NotFound
from ...domain.ids import KeyId, OrganizationId, TeamId
from ...domain.keys import VirtualKey
from ...domain.organizations import Organization, Team
from .audit import MemoryAudit

_TOLD = 10


class MemoryOrganizations:
    """For a gateway that is embedded without a database. What is put is current at once, also for
    the keys of `MemoryKeys`, which says here who belongs to which team."""

    def __init__(self, audit: MemoryAudit | None = None) -> None:
        self._audit = audit
        self._organizations: dict[UUID, Organization] = {}
        self._teams: dict[UUID, Team] = {}
        self._members: dict[KeyId, tuple[TeamId, str]] = {}

    async def organizations(self) -> Sequence[Organization]:
        return sorted(self._organizations.values(), key=lambda organization: organization.name)

    async def teams(self) -> Sequence[Team]:
        return sorted(self._teams.values(), key=lambda team: team.path)

    async def put(self, organization: Organization) -> None:
        for other in self._organizations.values():
            if other.name == organization.name and other.id != organization.id:
                raise NameTaken
        self._saw("organization", self._organizations.get(organization.id), organization)
        self._organizations[organization.id] = organization
        for team in self._teams_of(organization.id):
            self._teams[team.id] = replace(team, organization=organization)

    async def put_team(self, team: Team) -> None:
        if team.organization is not None:
            present = self._organizations.get(team.organization.id)
            if present is None:
                raise NotFound("organization", str(team.organization.id))
            team = replace(team, organization=present)
        for other in self._teams.values():
            if other.path == team.path and other.id != team.id:
                raise NameTaken
        self._saw("team", self._teams.get(team.id), team)
        self._teams[team.id] = team

    async def change(
        self, organization_id: OrganizationId, change: Callable[[Organization], Organization]
    ) -> Organization:
        present = self._organizations.get(organization_id)
        if present is None:
            raise NotFound("organization", str(organization_id))
        changed = change(present)
        await self.put(changed)
        return changed

    async def change_team(self, team_id: TeamId, change: Callable[[Team], Team]) -> Team:
        present = self._teams.get(team_id)
        if present is None:
            raise NotFound("team", str(team_id))
        await self.put_team(change(present))
        return self._teams[team_id]

    async def remove(self, organization_id: OrganizationId) -> bool:
        teams = self._teams_of(organization_id)
        if teams:
            raise HasMembers(sorted(team.name for team in teams)[:_TOLD])
        gone = self._organizations.pop(organization_id, None)
        self._saw("organization", gone, None)
        return gone is not None

    async def remove_team(self, team_id: TeamId) -> bool:
        keys = [name for team, name in self._members.values() if team == team_id]
        if keys:
            raise HasMembers(sorted(keys)[:_TOLD])
        gone = self._teams.pop(team_id, None)
        self._saw("team", gone, None)
        return gone is not None

    def organization(self, organization_id: UUID) -> Organization | None:
        return self._organizations.get(organization_id)

    def team(self, team_id: UUID) -> Team | None:
        return self._teams.get(team_id)

    def seat(self, key: VirtualKey) -> None:
        """Notes which team a key belongs to. Raises NotFound where there is no such team."""
        if key.team is not None and key.team.id not in self._teams:
            raise NotFound("team", str(key.team.id))
        if key.team is None or key.revoked_at_ns is not None:
            self._members.pop(key.id, None)
        else:
            self._members[key.id] = key.team.id, key.name or str(key.id)

    def _saw(
        self, kind: str, before: Organization | Team | None, after: Organization | Team | None
    ) -> None:
        changed = after or before
        if self._audit is not None and changed is not None:
            self._audit.saw(kind, str(changed.id), before, after)

    def _teams_of(self, organization_id: UUID) -> list[Team]:
        return [
            team
            for team in self._teams.values()
            if team.organization is not None and team.organization.id == organization_id
        ]


_: type[Organizations] = MemoryOrganizations
