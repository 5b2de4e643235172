from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ...domain.ids import KeyId
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
    """What was spent under one heading. `name` is a key's id, a model or a provider."""

    name: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: Money
    unpriced_calls: int
    estimated_calls: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendQuery:
    """`by` is `key`, `model` or `provider`; times are Unix nanoseconds, the end exclusive."""

    by: str = "key"
    from_ns: int | None = None
    until_ns: int | None = None
    key_id: KeyId | None = None


class LedgerReports(Protocol):
    async def spend(self, query: SpendQuery) -> Sequence[SpendLine]:
        """The dearest first."""
        ...

    async def entries(self, key_id: KeyId | None, limit: int) -> Sequence[LedgerEntry]:
        """The newest first."""
        ...
