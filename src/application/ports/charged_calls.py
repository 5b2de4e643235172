from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...domain.corrections import BookedCall


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedQuery:
    """Whose calls, at which model of theirs, and when: Unix nanoseconds, the end exclusive."""

    provider: str
    model: str
    from_ns: int
    until_ns: int


class ChargedCalls(Protocol):
    async def page(
        self, query: ChargedQuery, after: BookedCall | None, size: int
    ) -> Sequence[BookedCall]:
        """The next ones behind `after`, the oldest first, each with its corrections."""
        ...
