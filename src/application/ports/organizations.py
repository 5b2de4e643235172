from collections.abc import Callable, Sequence
from typing import Protocol

from ...domain.ids import OrganizationId, TeamId
from ...domain.organizations import Organization, Team


class Organizations(Protocol):
    """Organizations, their teams, and the limits of both. Each `put` adds one, or replaces the one
    with its id, and is one transaction; its limits come back in any order."""

    async def organizations(self) -> Sequence[Organization]:
        """By name."""
        ...

    async def teams(self) -> Sequence[Team]:
        """By path, each with its organization."""
        ...

    async def put(self, organization: Organization) -> None:
        """Raises NameTaken."""
        ...

    async def put_team(self, team: Team) -> None:
        """The organization itself stays as it is. Raises NameTaken; NotFound where there is no such
        organization."""
        ...

    async def change(
        self, organization_id: OrganizationId, change: Callable[[Organization], Organization]
    ) -> Organization:
        """Puts what `change` makes of it, and returns that. Nobody else changes it or its limits in
        between: what `change` leaves as it is stays as it is by then. Raises NotFound where there
        is none, NameTaken, and what `change` raises: then nothing is changed."""
        ...

    async def change_team(self, team_id: TeamId, change: Callable[[Team], Team]) -> Team:
        """The same. Raises NotFound where there is no such organization, too."""
        ...

    async def remove(self, organization_id: OrganizationId) -> bool:
        """With its limits. Whether there was one. Raises HasMembers while it has teams."""
        ...

    async def remove_team(self, team_id: TeamId) -> bool:
        """With its limits. Whether there was one. Raises HasMembers while it has keys; those that
        are revoked leave it."""
        ...


class NameTaken(Exception):
    """Another one has this name: of all organizations, or of the teams of one."""


class HasMembers(Exception):
    """Carries the names of some of those that still belong to it."""

    def __init__(self, members: Sequence[str]) -> None:
        super().__init__(", ".join(members))
        self.members = tuple(members)
