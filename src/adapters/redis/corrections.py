import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from uuid import UUID

from ...application.ports.organizations import Organizations
from ...application.ports.posted_corrections import Posted, PostedCorrections
from ...application.ports.virtual_keys import VirtualKeys
from ...domain.errors import StoreUnavailable
from ...domain.ledger import LedgerEntry
from ...domain.limits import Limit
from ...domain.rebuild import Tally, tally_of
from ..system.lasting_task import LastingTask
from .line import Line
from .names import (
    corrected_key,
    counter_key,
    counter_name,
    known_key,
    tenant_of_key,
    tenant_of_team,
)
from .orders import Order
from .periods import period_around
from .reservations import NO_SLOT, slot_of
from .scripts import CORRECT

# Up to which position all were told, by whichever process.
_TOLD = "langroute:corrections"
_AT_ONCE = 200
_PAUSE_S = 1.0
_NS_PER_US = 1000

_log = logging.getLogger(__name__)


class Corrections:
    """Tells the server what corrections of the ledger change, each once: a limit that is known
    there knows which one it has counted last. Every process does it that hears of one; those that
    come later find it done.
    """

    def __init__(
        self,
        line: Line,
        posted: PostedCorrections,
        keys: VirtualKeys,
        organizations: Organizations,
        now: Callable[[], tuple[str, int]],
    ) -> None:
        self._line = line
        self._posted = posted
        self._keys = keys
        self._organizations = organizations
        self._now = now
        self._heard = asyncio.Event()
        self._task = LastingTask(self._follow, "langroute-corrections")

    def recount(self, scopes: Collection[UUID] | None) -> None:
        """Something was corrected, or may have been."""
        del scopes  # which it was stands in the ledger
        self._heard.set()

    def start(self) -> None:
        self._heard.set()
        self._task.start()

    async def aclose(self) -> None:
        await self._task.aclose()

    async def tell(self) -> None:
        """All that were not told yet. Raises StoreUnavailable."""
        while True:
            told = int(await self._line.ask(Order(args=["GET", _TOLD])) or 0)
            batch = await self._posted.after(told, _AT_ONCE)
            if not batch:
                return
            await self._tell(batch)
            await self._line.ask(Order(args=["SET", _TOLD, str(batch[-1].position)]))

    async def _follow(self) -> None:
        while True:
            await self._heard.wait()
            self._heard.clear()
            try:
                await self.tell()
            except Exception as error:  # noqa: BLE001  (if this ended, none would be told again)
                mystery = not isinstance(error, StoreUnavailable)
                _log.warning("corrections wait for the limits' store: %r", error, exc_info=mystery)
                self._heard.set()
                await asyncio.sleep(_PAUSE_S)

    async def _tell(self, batch: Sequence[Posted]) -> None:
        concerned: dict[tuple[UUID, Limit], list[Posted]] = defaultdict(list)
        known: dict[tuple[UUID, UUID | None, UUID | None], Sequence[tuple[UUID, Limit]]] = {}
        for posted in batch:
            entry = posted.correction.entry
            whose = (entry.key_id, entry.team_id, entry.organization_id)
            if whose not in known:
                known[whose] = await self._limits(entry)
            for tenant, limit in known[whose]:
                concerned[tenant, limit].append(posted)
        last = batch[-1].position
        await asyncio.gather(
            *(
                self._tell_limit(tenant, limit, of_it, last)
                for (tenant, limit), of_it in concerned.items()
            )
        )

    async def _limits(self, entry: LedgerEntry) -> Sequence[tuple[UUID, Limit]]:
        """Of all who carry limits for this call, with whose they are kept."""
        found: list[tuple[UUID, Limit]] = []
        key = await self._keys.by_id(entry.key_id)
        if key is not None:
            found += [(tenant_of_key(key), limit) for limit in key.all_limits]
        has_moved = key is None or key.team is None or key.team.id != entry.team_id
        if has_moved and entry.team_id is not None:
            for team in await self._organizations.teams():
                if team.id == entry.team_id:
                    of_its = team.organization.limits if team.organization else ()
                    found += [(tenant_of_team(team), limit) for limit in (*team.limits, *of_its)]
        whose = {entry.key_id, entry.team_id, entry.organization_id}
        return [(tenant, limit) for tenant, limit in found if limit.scope.id in whose]

    async def _tell_limit(
        self, tenant: UUID, limit: Limit, batch: Sequence[Posted], last: int
    ) -> None:
        present = await self._line.ask(Order(args=["GET", known_key(tenant.hex, limit)])) or b""
        while not present or int(present) < last:
            order = self._order(tenant, limit, present.decode(), batch, last)
            # Whoever is told of it now has been told of these by the ledger.
            if not (present := await self._line.ask(order)):
                return

    def _order(
        self, tenant: UUID, limit: Limit, present: str, batch: Sequence[Posted], last: int
    ) -> Order:
        now, about_ns = self._now()
        told = [now, present, str(last)]
        names: dict[str, int] = {}
        for tally in _tallies(limit, batch, int(present or last)):
            number = names.setdefault(tally.name, len(names) + 1)
            slot = slot_of(limit)
            place = tally.place // _NS_PER_US if slot == NO_SLOT else tally.place
            told += (str(number), slot, *period_around(limit, about_ns), str(place))
            told += ("1" if tally.amount > 0 else "", str(abs(tally.amount)))
        its = tenant.hex
        counters = [counter_key(its, counter_name(limit, name)) for name in names]
        keys = [known_key(its, limit), corrected_key(its), *counters]
        return Order(script=CORRECT, keys=keys, args=told)


def _tallies(limit: Limit, batch: Sequence[Posted], after: int) -> Iterator[Tally]:
    for posted in batch:
        if posted.position > after:
            tally = tally_of(limit, posted.correction, posted.held)
            if tally is not None:
                yield tally
