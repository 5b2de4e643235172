from collections.abc import Sequence
from typing import Protocol

from ...domain.admission import Reservation


class Reservations(Protocol):
    """What is under way, where it outlives the process: so that a call is never forgotten once its
    answer has begun to be passed on."""

    def check_room(self) -> None:
        """Raises LedgerFull, or StoreUnavailable, while no further call may be admitted."""
        ...

    def hold(self, reservation: Reservation) -> None:
        """Takes it without waiting; it is written soon, with others."""
        ...

    async def held(self, reservation: Reservation) -> None:
        """Returns once it is durable, or once it may wait no longer, if that is wanted; otherwise
        raises StoreUnavailable then."""
        ...

    def settled(self, reservation: Reservation) -> None:
        """Its entry has been recorded: nobody will ask for it again."""
        ...

    async def expired(self) -> Sequence[Reservation]:
        """Those whose lease has run out without an entry, whichever process made them: by one clock
        for all processes. Raises StoreUnavailable."""
        ...
