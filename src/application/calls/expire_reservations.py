from dataclasses import dataclass

from ...domain.admission import Reservation
from ...domain.errors import StoreUnavailable
from ..ports.admission import Admission
from ..ports.ledger import LedgerCorrections
from ..ports.reservations import Reservations
from .settle import Settle


@dataclass(frozen=True, slots=True)
class ExpireReservations:
    """Settles, at their bound, the calls that never settled themselves, those of processes that are
    gone included: so that a lost one can block nobody for ever, and spends nothing unseen. Returns
    how many. Raises StoreUnavailable, once this process's own are settled."""

    admission: Admission
    reservations: Reservations
    settle: Settle
    ledger: LedgerCorrections

    async def __call__(self) -> int:
        settled = set()
        for reservation in await self.admission.expired():
            if await self._is_booked(reservation):
                continue
            # It may be another process's, that was killed before this was written.
            self.reservations.hold(reservation)
            self.settle.at_bound(reservation)
            settled.add(reservation.ask.request_id)
        for reservation in await self.reservations.expired():
            if reservation.ask.request_id not in settled:
                self.settle.at_bound(reservation)
                settled.add(reservation.ask.request_id)
        return len(settled)

    async def _is_booked(self, reservation: Reservation) -> bool:
        """That of a process which was killed when the ledger had its entry, and the limits' store
        did not know yet: there, it comes to what the ledger says. While the ledger cannot be read,
        none is."""
        try:
            call = await self.ledger.call(reservation.ask.request_id)
        except StoreUnavailable:
            return False
        if call is None:
            return False
        self.admission.settle(reservation, call.usage, call.cost)
        return True
