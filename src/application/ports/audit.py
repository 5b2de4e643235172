from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...domain.audit import Action, Change, Image


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeQuery:
    """Times are Unix nanoseconds, the end exclusive."""

    kind: str | None = None
    name: str | None = None
    from_ns: int | None = None
    until_ns: int | None = None
    limit: int = 100


class AuditLog(Protocol):
    """Who changed what. The stores write it themselves, with each change and in one step with it;
    `note` is for what changes no configuration."""

    async def changes(self, query: ChangeQuery) -> Sequence[Change]:
        """The newest first."""
        ...

    async def note(
        self, kind: str, name: str, action: Action, after: Image, reason: str | None = None
    ) -> None: ...


class Actors(Protocol):
    """Who asks for what is being done. Each call has its own, however many run at once."""

    def current(self) -> str: ...

    def become(self, name: str) -> None:
        """From here on, in this task and in those that it starts."""
        ...
