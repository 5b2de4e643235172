from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ...domain.admission import Reservation
from ...domain.ledger import LedgerEntry, Outcome
from ...domain.limits import Standing
from ...domain.money import ZERO, Money
from ...domain.routes import Target
from ...domain.usage import NO_USAGE, TokenUsage
from ..ports.admission import Admission
from ..ports.catalogues import CatalogueLookup
from ..ports.clock import Clock
from ..ports.ledger import LedgerWriter
from ..ports.reservations import Reservations


class Ending(NamedTuple):
    """How a call went. `target` is who answered, or is billing for it; None if nobody."""

    outcome: Outcome
    target: Target | None = None
    usage: TokenUsage = NO_USAGE
    estimated: bool = False
    error: str | None = None
    attempts: int = 0
    first_byte_ns: int | None = None


class Settled(NamedTuple):
    """What was written down, and what is left of the call's limits: nothing is told where it had
    been settled before."""

    entry: LedgerEntry
    standings: Sequence[Standing]

    @property
    def cost(self) -> Money | None:
        """None where nobody knows what the model costs."""
        return self.entry.cost if self.entry.priced else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Turns a reservation into what was used and what it cost, at the prices in force when the
    call began, and writes the ledger entry. Settling again changes nothing, but for a call that was
    taken for lost: then the ledger corrects what it has. It waits for nothing, so that a cancelled
    caller cannot stop it half-way."""

    admission: Admission
    ledger: LedgerWriter
    reservations: Reservations
    catalogues: CatalogueLookup
    clock: Clock

    def __call__(self, reservation: Reservation, ending: Ending) -> Settled:
        entry = self._ended(reservation, ending)
        return Settled(entry=entry, standings=self._write(reservation, entry))

    def at_bound(self, reservation: Reservation) -> LedgerEntry:
        """For a call that never settled: everything it might have used, marked as expired. It may
        be another process's, of which this one's admission knows nothing; whoever else finds it
        writes the same entry."""
        ask = reservation.ask
        entry = _entry(
            reservation,
            Ending(outcome=Outcome.EXPIRED, usage=ask.usage_bound, estimated=True),
            duration_ns=ask.lease_until_ns - ask.at_ns,
            cost=ask.cost_bound,
            priced=ask.priced,
        )
        self._write(reservation, entry)
        return entry

    def _write(self, reservation: Reservation, entry: LedgerEntry) -> Sequence[Standing]:
        standings = self.admission.settle(reservation, entry.usage, entry.cost)
        self.ledger.record(entry)
        self.reservations.settled(reservation)
        return standings or ()

    def _ended(self, reservation: Reservation, ending: Ending) -> LedgerEntry:
        ask, target = reservation.ask, ending.target
        price = target and self.catalogues.current().prices.at(
            target.provider, target.model, ask.at_ns
        )
        return _entry(
            reservation,
            ending,
            duration_ns=max(0, self.clock.now_ns() - ask.at_ns),
            cost=price.cost_of(ending.usage) if price else ZERO,
            # Nothing used costs nothing, whatever the price.
            priced=price is not None or ending.usage.is_nothing,
        )


def _entry(
    reservation: Reservation, ending: Ending, *, duration_ns: int, cost: Money, priced: bool
) -> LedgerEntry:
    ask, target = reservation.ask, ending.target
    return LedgerEntry(
        request_id=ask.request_id,
        key_id=ask.key_id,
        team_id=ask.team_id,
        organization_id=ask.organization_id,
        end_user=ask.end_user,
        tag=ask.tag,
        at_ns=ask.at_ns,
        duration_ns=duration_ns,
        first_byte_ns=ending.first_byte_ns,
        model=ask.model,
        provider=target.provider if target else None,
        upstream_model=target.model if target else None,
        outcome=ending.outcome,
        error=ending.error,
        attempts=ending.attempts,
        streamed=ask.streamed,
        usage=ending.usage,
        cost=cost,
        priced=priced,
        estimated=ending.estimated,
        held=reservation,
    )
