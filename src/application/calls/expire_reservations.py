from dataclasses import dataclass

from ..ports.admission import Admission
from .settle import Settle


@dataclass(frozen=True, slots=True)
class ExpireReservations:
    """Settles, at their bound, the calls that never settled themselves: so that a lost one can
    block nobody for ever, and spends nothing unseen. Returns how many."""

    admission: Admission
    settle: Settle

    async def __call__(self) -> int:
        expired = await self.admission.expired()
        for reservation in expired:
            self.settle.at_bound(reservation)
        return len(expired)
