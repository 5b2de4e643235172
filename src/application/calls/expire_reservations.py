from dataclasses import dataclass

from ..ports.admission import Admission
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

    async def __call__(self) -> int:
        settled = set()
        for reservation in await self.admission.expired():
            # It may be another process's, that was killed before this was written.
            self.reservations.hold(reservation)
            self.settle.at_bound(reservation)
            settled.add(reservation.ask.request_id)
        for reservation in await self.reservations.expired():
            if reservation.ask.request_id not in settled:
                self.settle.at_bound(reservation)
                settled.add(reservation.ask.request_id)
        return len(settled)
