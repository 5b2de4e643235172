from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from ...domain.admission import Claim, Counted, Reservation
from ...domain.ledger import LedgerEntry
from ...domain.limits import Limit
from ...domain.rebuild import claim_on, scopes_of
from .counters import Key, key_of


@dataclass(slots=True)
class Held:
    """A call under way, and what it holds of the limits that were met so far. It may be one of
    another process, which was killed or still has it."""

    reservation: Reservation
    claims: Sequence[Claim] = ()
    counting: Sequence[Counted] = ()
    keys: Sequence[Key] = ()
    ours: bool = True

    def claim_on(self, limit: Limit) -> Claim | None:
        """From now on it holds that, too, where it did not before."""
        for claim in self.claims:
            if claim.counter.limit_id == limit.id:
                return claim
        later = claim_on(limit, self.reservation)
        if later is not None:
            self.claims = (*self.claims, later)
            self.counting = (*self.counting, Counted(limit, later.counter))
            self.keys = (*self.keys, key_of(later.counter))
        return later


class ByScope:
    """Calls, found by whose they are: a limit need not look at all of them."""

    def __init__(self, held: Iterable[Held], waiting: Iterable[LedgerEntry]) -> None:
        self._held: dict[UUID, list[Held]] = {}
        self._waiting: dict[UUID, list[LedgerEntry]] = {}
        for each in held:
            for scope in scopes_of(each.reservation.ask):
                self._held.setdefault(scope, []).append(each)
        for entry in waiting:
            for scope in scopes_of(entry):
                self._waiting.setdefault(scope, []).append(entry)

    def under_way(self, limit: Limit) -> Iterator[Claim]:
        """What calls hold of a limit, from now on."""
        for held in self._held.get(limit.scope.id, ()):
            claim = held.claim_on(limit)
            if claim is not None:
                yield claim

    def claims(self, limit: Limit) -> list[Claim]:
        """The same, and nothing is changed."""
        found = (claim_on(limit, held.reservation) for held in self._held.get(limit.scope.id, ()))
        return [claim for claim in found if claim is not None]

    def waiting(self, limit: Limit) -> Sequence[LedgerEntry]:
        return self._waiting.get(limit.scope.id, ())
