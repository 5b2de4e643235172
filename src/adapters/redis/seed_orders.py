from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from ...application.ports.history import Past
from ...domain.admission import Claim, CounterId, Reservation
from ...domain.ledger import LedgerEntry
from ...domain.limits import Counter, Limit
from ...domain.rebuild import claim_on, rebuilt, scopes_of, tallies
from .names import corrected_key, counter_key, counter_name, known_key, leases_key, tenant_of
from .orders import Order
from .reservations import claim_line, told_ask
from .scripts import SEED
from .words import words_of

_NS_PER_MS = 10**6
# Counters in one step of the server.
_PART = 50


class SeedOrders:
    """What limits have counted, as the server is told of it: see seed.lua. Calls are found by whose
    they are: a limit need not look at all of them."""

    def __init__(
        self, past: Past, under_way: Iterable[Reservation], now: str, about_ns: int
    ) -> None:
        self._past = past
        self._now = now
        self._about_ns = about_ns
        self._under_way: dict[UUID, list[Reservation]] = defaultdict(list)
        self._waiting: dict[UUID, list[LedgerEntry]] = defaultdict(list)
        for held in under_way:
            self._under_way[tenant_of(held.ask)].append(held)
        for entry in past.waiting:
            for scope in scopes_of(entry):
                self._waiting[scope].append(entry)

    def of(self, tenant: UUID, limit: Limit) -> Iterator[Order]:
        over = [*self._past.settled.get(limit.id, ())]
        for entry in self._waiting.get(limit.scope.id, ()):
            over += tallies(limit, entry)
        under_way = self._under_way.get(tenant, ())
        claims = [(held, claim) for held in under_way if (claim := claim_on(limit, held))]
        counters = rebuilt(limit, over, (claim for _, claim in claims), self._about_ns)
        named = list(counters.items())
        for at in range(0, max(1, len(named)), _PART):
            is_last = at + _PART >= len(named)
            yield self._order(tenant, limit, named[at : at + _PART], claims, is_last=is_last)

    def _order(
        self,
        tenant: UUID,
        limit: Limit,
        part: Sequence[tuple[CounterId, Counter]],
        claims: Iterable[tuple[Reservation, Claim]],
        *,
        is_last: bool,
    ) -> Order:
        numbers = {counter_id: str(index) for index, (counter_id, _) in enumerate(part, 1)}
        told = [self._now, str(self._past.position), "1" if is_last else "", str(len(part))]
        for _, counter in part:
            to_live, words = words_of(counter, self._about_ns)
            told += (to_live, str(len(words)), *words)
        for held, claim in claims:
            number = numbers.get(claim.counter)
            if number is not None:
                ask = held.ask
                lease_ms = str(ask.lease_until_ns // _NS_PER_MS)
                told += (number, ask.request_id.hex, lease_ms)
                told += (told_ask(ask), claim_line(limit, claim))
        its = tenant.hex
        counters = [counter_key(its, counter_name(limit, id_.name)) for id_, _ in part]
        keys = [known_key(its, limit), leases_key(its), corrected_key(its), *counters]
        return Order(script=SEED, keys=keys, args=told)
