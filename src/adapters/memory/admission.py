from collections.abc import Collection, Sequence
from uuid import UUID

from ...application.ports.admission import Admission
from ...application.ports.clock import Clock
from ...application.ports.evidence import Evidence, Witness
from ...application.ports.history import History, Past
from ...domain.admission import Ask, Reservation, counted, decide, standing, used_amounts
from ...domain.errors import StoreUnavailable
from ...domain.ids import RequestId
from ...domain.limits import Limit, Refusal, Standing
from ...domain.money import Money
from ...domain.rebuild import rebuilt, tallies
from ...domain.standings import Standings
from ...domain.stores import Store
from ...domain.usage import TokenUsage
from ...domain.verification import KeptCounter
from .beside import beside
from .counters import Counters, key_of
from .held import ByScope, Held
from .plans import Plans
from .seeds import STEP_BACK_NS, Seeds

_PATIENCE_S = 3.0
_AT_A_TIME = 500


class MemoryAdmission:
    """Limits for one process. Each decision is one step of the event loop, so it is atomic.

    With a `history`, a limit that is met for the first time has counted already what was before:
    the calls that need it wait until that is read, and nobody else. While it cannot be read they
    are refused (StoreUnavailable), or with `local`, decided by what this process has seen itself,
    until it can. Without one, counting begins with the process.
    """

    def __init__(
        self,
        clock: Clock,
        history: History | None = None,
        *,
        local: bool = False,
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._clock = clock
        self._history = history
        self._local = local
        self._patience_s = patience_s
        self._seeds = (
            None if history is None else Seeds(history, clock, sow=self._sow, doubted=self._doubted)
        )
        self._counters = Counters()
        self._plans = Plans()
        # By the ids' numbers: Python hashes those ten times faster than UUIDs.
        self._open: dict[int, Held] = {}
        self._latest_ns = 0

    async def take_over(self) -> int:
        """Before any call: what earlier processes have left under way is held until it is settled
        or its lease has run out. Returns how many calls that are. Raises StoreUnavailable."""
        if self._history is None:
            return 0
        for reservation in await self._history.open(self._clock.now_ns()):
            held = Held(reservation, ours=False)
            self._open.setdefault(reservation.ask.request_id.int, held)
        return len(self._open)

    async def admit(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Reservation | Refusal, Sequence[Standing]]:
        now_ns = self._now_ns()
        seeds = self._seeds
        if seeds is not None and not seeds.has_seen(ask, limits):
            if await self._meet(seeds, limits):
                seeds.notice(ask, limits)
            now_ns = self._clock.now_ns()
        counters = self._counters
        counters.forget_idle(now_ns - STEP_BACK_NS)
        _, counting, keys = self._plans.of(ask, limits)
        before = [
            counters.get(key) or limit.fresh()
            for key, (limit, _) in zip(keys, counting, strict=True)
        ]
        decision, after = decide(ask, counting, before, now_ns)
        if isinstance(decision, Reservation):
            for key, counter in zip(keys, after, strict=True):
                counters[key] = counter
            self._open[ask.request_id.int] = Held(decision, decision.claims, counting, keys)
        return decision, Standings(counting, after, now_ns)

    async def foresee(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Refusal | None, Sequence[Standing]]:
        now_ns = self._now_ns()
        if self._seeds is not None:
            await self._meet(self._seeds, limits)
            now_ns = self._clock.now_ns()
        counting = counted(ask, limits)
        counters = [
            self._counters.get(key_of(counter_id)) or limit.fresh()
            for limit, counter_id in counting
        ]
        decision, _ = decide(ask, counting, counters, now_ns)
        refusal = decision if isinstance(decision, Refusal) else None
        return refusal, Standings(counting, counters, now_ns)

    def settle(
        self, reservation: Reservation, usage: TokenUsage, cost: Money
    ) -> Sequence[Standing] | None:
        held = self._open.pop(reservation.ask.request_id.int, None)
        if held is None:
            if self._seeds is not None:
                self._seeds.overlooked(reservation.ask)
            return None
        now_ns = self._clock.now_ns()
        counters, used, left = self._counters, used_amounts(usage, cost), []
        held_of = zip(held.claims, held.counting, held.keys, strict=True)
        for (_, measure, reserved, place), (limit, _), key in held_of:
            counter = counters.get(key) or limit.fresh()
            counter = counter.settle(place, reserved, used[measure], now_ns)
            counters[key] = counter
            left.append(standing(limit, counter, now_ns))
        return left

    async def expired(self) -> Sequence[Reservation]:
        if self._seeds is not None and self._doubted():
            await self._seeds.ask_after()
        now_ns = self._clock.now_ns()
        # Another process's clock may be behind: its calls expire by that of the reservations.
        calls = (held.reservation for held in self._open.values() if held.ours)
        return [call for call in calls if call.ask.lease_until_ns <= now_ns]

    async def evidence(self) -> Evidence:
        """Each counter beside what the ledger says at the same moment."""
        kept: list[KeptCounter] = []
        if self._history is not None and self._seeds is not None:
            met = self._seeds.met()
            for first in range(0, len(met), _AT_A_TIME):
                limits = met[first : first + _AT_A_TIME]
                async with self._history.past(limits, self._now_ns()) as past:
                    still_met = [limit for limit in limits if self._seeds.has_met(limit)]
                    kept += beside(still_met, past, self._counters, self._open.values())
        looked_at = {"counters in memory": len(kept)}
        return Evidence(now_ns=self._clock.now_ns(), counters=kept, looked_at=looked_at)

    def recount(self, scopes: Collection[UUID] | None) -> None:
        """What the ledger says of these keys, teams and organizations, or of all, is another than
        was counted: it is read again before it is next needed."""
        if self._seeds is not None:
            self._seeds.recount(scopes)

    def __len__(self) -> int:
        return len(self._counters)

    def _now_ns(self) -> int:
        """Where the clock has stepped back further than they reach, all counters are read anew."""
        now_ns = self._clock.now_ns()
        if now_ns > self._latest_ns:
            self._latest_ns = now_ns
        elif now_ns < self._latest_ns - STEP_BACK_NS:
            self._latest_ns = now_ns
            self.recount(None)
        return now_ns

    async def _meet(self, seeds: Seeds, limits: Sequence[Limit]) -> bool:
        if await seeds.meet(limits, self._patience_s):
            return True
        if not self._local:
            raise StoreUnavailable(Store.COUNTERS)
        seeds.forget(limits)
        return False

    def _sow(self, limits: Sequence[Limit], past: Past, untrue: Collection[int]) -> None:
        """Puts the counters of limits together anew, from what is written and what is under way."""
        if untrue:
            self._counters.drop(untrue)
        for request_id in past.over:
            self._let_go(request_id)
        calls = ByScope(self._open.values(), past.waiting)
        as_of_ns = self._clock.now_ns() - STEP_BACK_NS
        for limit in limits:
            over = [*past.settled.get(limit.id, ())]
            for entry in calls.waiting(limit):
                over += tallies(limit, entry)
            counters = rebuilt(limit, over, calls.under_way(limit), as_of_ns)
            for counter_id, counter in counters.items():
                self._counters[key_of(counter_id)] = counter

    def _let_go(self, request_id: RequestId) -> None:
        """A call that another process has settled."""
        held = self._open.pop(request_id.int, None)
        if held is not None and self._seeds is not None:
            self._seeds.forget(limit for limit, _ in held.counting)

    def _doubted(self) -> Collection[Ask]:
        return [held.reservation.ask for held in self._open.values() if not held.ours]


_: type[Admission] = MemoryAdmission
_witness: type[Witness] = MemoryAdmission
