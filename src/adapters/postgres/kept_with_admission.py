from collections.abc import Sequence

from ...application.ports.reservations import Reservations
from ...domain.admission import Reservation


class KeptWithAdmission:
    """For an admission that keeps the reservation in the same step: it is there before the provider
    is asked. `all_kept` finds those that are lost, whoever has made them."""

    def __init__(self, all_kept: Reservations) -> None:
        self._all_kept = all_kept

    def check_room(self) -> None:
        """The admission itself says so."""

    def hold(self, reservation: Reservation) -> None:
        del reservation

    async def held(self, reservation: Reservation) -> None:
        del reservation

    def settled(self, reservation: Reservation) -> None:
        del reservation

    async def expired(self) -> Sequence[Reservation]:
        return await self._all_kept.expired()


_: type[Reservations] = KeptWithAdmission
