from collections.abc import Sequence
from typing import Protocol

from ...domain.admission import Ask, Reservation
from ...domain.limits import Limit, Refusal, Standing
from ...domain.money import Money
from ...domain.usage import TokenUsage


class Admission(Protocol):
    """Decides, in one atomic step over all of a call's limits, whether it may go ahead: as
    `domain.books` does, whatever the order of calls and however many ask at once."""

    async def admit(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Reservation | Refusal, Sequence[Standing]]:
        """The decision, and what it leaves of the limits that count such a call."""
        ...

    async def foresee(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Refusal | None, Sequence[Standing]]:
        """How `admit` would refuse it now, if it would, and what is left of the limits as they
        are. Nothing is taken."""
        ...

    def settle(
        self, reservation: Reservation, usage: TokenUsage, cost: Money
    ) -> Sequence[Standing] | None:
        """Exactly once: None, and no change, where the call was settled before; else what is left
        of its limits.

        Waits for nothing, so that no hang-up can come in between: a store that is elsewhere is
        told soon after.
        """
        ...

    async def expired(self) -> Sequence[Reservation]:
        """The calls whose lease has run out unsettled."""
        ...
