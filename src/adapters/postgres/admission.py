import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ...application.ports.admission import Admission
from ...application.ports.clock import Clock
from ...domain.admission import Ask, Reservation, used_amount
from ...domain.errors import StoreUnavailable
from ...domain.ids import RequestId
from ...domain.limits import Limit, Refusal, Standing
from ...domain.money import ZERO, Money
from ...domain.usage import TokenUsage
from .call_counters import CallCounters
from .database import Database
from .decisions import Decisions
from .idle_counters import forget_idle
from .periods_around import PeriodsAround
from .reservations_found import found

_CONNECTIONS = 5
_WITHIN_S = 1.0
# By then Postgres has either admitted a call in doubt, or never will.
_DOUBT_S = 10.0
_FORGET_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class _Held:
    """`at_ns` is when it was admitted, on the monotonic clock."""

    reservation: Reservation
    standings: Sequence[Standing]
    at_ns: int


class PostgresAdmission:
    """Limits that any number of processes share. One round trip decides about a call and keeps its
    reservation; Postgres' clock decides, unless `now_ns` is given, for tests.

    Where no answer comes `within_s`, it raises StoreUnavailable. Then, or when the caller has hung
    up, the call may have been admitted without anybody hearing of it: such are looked for, and
    expire as calls that used nothing.

    What calls used is counted by whoever writes the ledger: see `POST`.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        connections: int = _CONNECTIONS,
        within_s: float = _WITHIN_S,
        longest_call_s: float | None = None,
        now_ns: Callable[[], int] | None = None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._periods = PeriodsAround()
        self._decisions = Decisions(
            database,
            clock,
            connections=connections,
            within_s=within_s,
            longest_call_s=longest_call_s,
            now_ns=now_ns or _by_its_own_clock,
        )
        # By the ids' numbers: Python hashes those ten times faster than UUIDs.
        self._open: dict[int, _Held] = {}
        self._forget_at_s = time.monotonic() + _FORGET_EVERY_S
        self._in_doubt: dict[RequestId, tuple[Ask, float]] = {}

    async def admit(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Reservation | Refusal, Sequence[Standing]]:
        call = CallCounters(ask, limits, self._periods)
        try:
            row = await self._decisions.asked(call, taking=True)
            if row is None:
                return await self._admitted_before(call)
        finally:
            if call.in_doubt:
                self._in_doubt[ask.request_id] = ask, time.monotonic()
        decision, standings = call.decided(row), call.standings(row)
        if isinstance(decision, Reservation):
            self._hold(decision, standings)
        return decision, standings

    async def foresee(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Refusal | None, Sequence[Standing]]:
        call = CallCounters(ask, limits, self._periods)
        row = await self._decisions.asked(call, taking=False)
        return call.foreseen(row), call.standings(row)

    def settle(
        self, reservation: Reservation, usage: TokenUsage, cost: Money
    ) -> Sequence[Standing] | None:
        held = self._open.pop(reservation.ask.request_id.int, None)
        if held is None:
            return None
        passed_ns = self._clock.monotonic_ns() - held.at_ns
        return [
            _given_back(each, claim.amount - used_amount(claim.measure, usage, cost), passed_ns)
            for each, claim in zip(held.standings, held.reservation.claims, strict=False)
        ]

    async def expired(self) -> Sequence[Reservation]:
        if self._in_doubt:
            await self._look_for_those_in_doubt()
        if time.monotonic() >= self._forget_at_s:
            await self._forget_idle()
        now_ns = self._clock.now_ns()
        calls = (held.reservation for held in self._open.values())
        return [call for call in calls if call.ask.lease_until_ns <= now_ns]

    async def aclose(self) -> None:
        await self._decisions.aclose()

    async def count(self, ask: Ask, limits: Sequence[Limit]) -> None:
        """A call that was admitted without Postgres, while it was away; it may be over. Whatever
        the limits say. Raises StoreUnavailable."""
        await self._decisions.count(CallCounters(ask, limits, self._periods, soft=True))
        self._in_doubt.pop(ask.request_id, None)
        self._hold(Reservation(ask=ask), ())

    async def _admitted_before(self, call: CallCounters) -> tuple[Reservation, Sequence[Standing]]:
        call.in_doubt = True
        async with self._database.reading() as connection:
            (kept,) = await found(connection, [call.ask])
        row = await self._decisions.asked(call, taking=False)
        reservation, standings = call.kept(kept), call.standings(row)
        self._hold(reservation, standings)
        call.in_doubt = False
        return reservation, standings

    def _hold(self, reservation: Reservation, standings: Sequence[Standing]) -> None:
        held = _Held(reservation, standings, self._clock.monotonic_ns())
        self._open[reservation.ask.request_id.int] = held

    async def _forget_idle(self) -> None:
        self._forget_at_s = time.monotonic() + _FORGET_EVERY_S
        try:
            async with self._database.writing() as connection:
                await forget_idle(connection)
        except StoreUnavailable:
            return

    async def _look_for_those_in_doubt(self) -> None:
        doubted = dict(self._in_doubt)
        try:
            async with self._database.reading() as connection:
                kept = await found(connection, [ask for ask, _ in doubted.values()])
        except StoreUnavailable:
            return
        now_s = time.monotonic()
        there = {reservation.ask.request_id: reservation for reservation in kept}
        for request_id, (_, since_s) in doubted.items():
            if request_id in there:
                self._hold(_unused(there[request_id], self._clock.now_ns()), ())
            if request_id in there or now_s - since_s > _DOUBT_S:
                del self._in_doubt[request_id]


def _by_its_own_clock() -> None:
    return None


def _unused(reservation: Reservation, now_ns: int) -> Reservation:
    """Its lease ends, and its bound is nothing: it never began."""
    ask = reservation.ask
    over = replace(
        ask,
        input_bound=0,
        output_bound=0,
        cost_bound=ZERO,
        lease_until_ns=max(ask.at_ns, min(now_ns, ask.lease_until_ns)),
    )
    return replace(reservation, ask=over)


def _given_back(standing: Standing, amount: int, passed_ns: int) -> Standing:
    """As it was at the call's admission, but for what the call itself has given back since."""
    reset_ns = standing.reset_ns
    return standing._replace(
        used=max(0, standing.used - amount),
        reset_ns=None if reset_ns is None else max(0, reset_ns - passed_ns),
    )


_: type[Admission] = PostgresAdmission
