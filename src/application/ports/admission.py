from collections.abc import Sequence
from typing import Protocol

from ...domain.admission import Ask, Reservation
from ...domain.ids import KeyId
from ...domain.limits import Limits, Refusal, Remaining
from ...domain.money import Money
from ...domain.usage import TokenUsage


class Admission(Protocol):
    """Decides, in one atomic step, whether a call may go ahead."""

    async def admit(self, ask: Ask, limits: Limits) -> tuple[Reservation | Refusal, Remaining]:
        """The decision, and what it leaves of the key's limits."""
        ...

    def settle(self, reservation: Reservation, usage: TokenUsage, cost: Money) -> bool:
        """Exactly once: False, and no change, where the call was settled before.

        Waits for nothing, so that no hang-up can come in between: a store that is elsewhere is
        told soon after.
        """
        ...

    async def remaining(self, key_id: KeyId, limits: Limits) -> Remaining: ...

    async def expired(self) -> Sequence[Reservation]:
        """The calls whose lease has run out unsettled."""
        ...
