from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, Self
from uuid import UUID

from ...domain.charges import Charge
from ...domain.corrections import BookedCall, Correction
from ...domain.ids import KeyId, OrganizationId, RequestId, TeamId
from ...domain.ledger import LedgerEntry
from ...domain.money import Money


class LedgerWriter(Protocol):
    """Takes entries without waiting; they are written soon, in batches, each exactly once.

    `at_ns` may be rounded down to a microsecond.
    """

    def record(self, entry: LedgerEntry) -> None: ...

    def has_room(self) -> bool:
        """False while so much is waiting to be written that no further call may be admitted."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLine:
    """What was spent under one heading. `name` is an id, a name, or a day in UTC (`2026-11-30`);
    empty for calls that have none."""

    name: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: Money
    unpriced_calls: int
    estimated_calls: int

    @classmethod
    def of(cls, name: str, charge: Charge) -> Self:
        return cls(
            name=name,
            calls=charge.calls,
            prompt_tokens=charge.prompt_tokens,
            completion_tokens=charge.completion_tokens,
            cost=charge.cost,
            unpriced_calls=charge.unpriced_calls,
            estimated_calls=charge.estimated_calls,
        )


GROUPINGS = ("key", "team", "organization", "end_user", "model", "provider", "tag", "day")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendQuery:
    """`by` is one of GROUPINGS; times are Unix nanoseconds, the end exclusive. The others say of
    which calls alone; an empty name, of those that have none."""

    by: str = "key"
    from_ns: int | None = None
    until_ns: int | None = None
    key_id: KeyId | None = None
    team_id: TeamId | None = None
    organization_id: OrganizationId | None = None
    end_user: str | None = None
    model: str | None = None
    provider: str | None = None
    tag: str | None = None

    @property
    def ids(self) -> Mapping[str, UUID]:
        """Those given, by the name of their column."""
        return {name: getattr(self, name) for name in _IDS if getattr(self, name) is not None}

    @property
    def names(self) -> Mapping[str, str]:
        """Those given."""
        return {name: getattr(self, name) for name in _NAMES if getattr(self, name) is not None}


_IDS = ("key_id", "team_id", "organization_id")
_NAMES = ("end_user", "model", "provider", "tag")


class LedgerReports(Protocol):
    async def spend(self, query: SpendQuery) -> Sequence[SpendLine]:
        """With every correction, under the time of its call. The dearest first; days in order."""
        ...

    async def entries(self, key_id: KeyId | None, limit: int) -> Sequence[LedgerEntry]:
        """As they were settled, the newest first."""
        ...


class LedgerCorrections(Protocol):
    async def call(self, request_id: RequestId) -> BookedCall | None: ...

    async def post(self, correction: Correction) -> bool:
        """False, and nothing is written, where the call has a correction of that number."""
        ...


def in_order(lines: Iterable[SpendLine], by: str) -> Sequence[SpendLine]:
    if by == "day":
        return sorted(lines, key=lambda line: line.name)
    return sorted(lines, key=lambda line: (-line.cost.pico, line.name))
