from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


class ScopeKind(StrEnum):
    """Who can carry limits. Each belongs to the one before it."""

    ORGANIZATION = "organization"
    TEAM = "team"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    kind: ScopeKind
    id: UUID

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
