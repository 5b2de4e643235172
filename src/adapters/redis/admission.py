import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

from ...application.ports.admission import Admission
from ...application.ports.clock import Clock
from ...application.ports.history import History
from ...domain.admission import Ask, Counted, Reservation, counted
from ...domain.corrections import BookedCall
from ...domain.errors import StoreUnavailable
from ...domain.ids import RequestId
from ...domain.limits import Limit, Refusal, Standing
from ...domain.money import Money
from ...domain.stores import Store
from ...domain.usage import TokenUsage
from .after_ledger import AfterLedger
from .held import Held
from .line import Line
from .lost_calls import LostCalls
from .names import tenant_of
from .orders import Order
from .questions import (
    Outcome,
    Question,
    Reply,
    read_reply,
    refusal_of,
    reservation_of,
    standings_of,
)
from .reservations import read_reservation
from .scripts import ADMIT, COUNT
from .seeds import Seeds
from .settlements import settlement, undoing

_NS_PER_US = 1000
_NS_PER_MS = 10**6
_TRIES = 4


class RedisAdmission:
    """Limits for any number of processes, on a Redis or Valkey server: one round trip a call.

    The server's clock decides; in tests, `instead` of it. What a call leaves of its limits when it
    settles is told as of its admission: the settlement itself is sent a moment later.
    """

    def __init__(
        self,
        line: Line,
        clock: Clock,
        history: History | None = None,
        *,
        written: Callable[[], Awaitable[object]] | None = None,
        booked: Callable[[RequestId], Awaitable[BookedCall | None]] | None = None,
        instead: Clock | None = None,
    ) -> None:
        self._line = line
        self._booked = booked
        self._after_ledger = None if written is None else AfterLedger(line, written)
        self._clock = clock
        self._instead = instead
        self._ahead_ns = 0
        self._open: dict[int, Held] = {}
        self._lost = LostCalls(line)
        self._seeds = None if history is None else Seeds(history, line, self._open_here, self.now)

    async def admit(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Reservation | Refusal, Sequence[Standing]]:
        question, reply, now_ns = await self._put("admit", ask, limits)
        standings = standings_of(question, reply, now_ns)
        if reply.outcome is Outcome.REFUSED:
            return refusal_of(question, reply, now_ns), standings
        reservation = reservation_of(question, reply)
        self._open[ask.request_id.int] = Held(
            reservation,
            [c.limit for c in question.counting],
            standings,
            self._clock.monotonic_ns(),
        )
        return reservation, standings

    async def foresee(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Refusal | None, Sequence[Standing]]:
        question, reply, now_ns = await self._put("foresee", ask, limits)
        is_refused = reply.outcome is Outcome.REFUSED
        refusal = refusal_of(question, reply, now_ns) if is_refused else None
        return refusal, standings_of(question, reply, now_ns)

    def settle(
        self, reservation: Reservation, usage: TokenUsage, cost: Money
    ) -> Sequence[Standing] | None:
        held = self._open.pop(reservation.ask.request_id.int, None)
        # Also where it is not here: it may be a lost one of another process. One that was settled
        # stays as it is.
        which, limits = (held.reservation, held.limits) if held else (reservation, ())
        order = settlement(which, limits, usage, cost, *self.now())
        (self._after_ledger or self._line).tell(order)
        if held is None:
            return None
        return held.left(usage, cost, self._clock.monotonic_ns())

    async def count(self, ask: Ask, limits: Sequence[Limit]) -> None:
        """A call that was admitted without the server, whatever the limits say: it holds it from
        now on. What the ledger has told the server of it already is not counted again."""
        self._open[ask.request_id.int] = Held(Reservation(ask=ask))
        self._lost.tell(ask)
        counting = counted(ask, limits)
        for _ in range(_TRIES):
            now, about_ns = self.now()
            question = self._question("count", ask, counting, now)
            order = Order(script=COUNT, keys=question.keys(), args=question.args(about_ns))
            reply = read_reply(await self._line.ask(order))
            self._take_in(reply)
            if reply.outcome is Outcome.ADMITTED:
                return
            if reply.outcome is Outcome.UNKNOWN and self._seeds is not None:
                unknown = [counting[index].limit for index in reply.unknown]
                over = await self._seeds.sow(tenant_of(ask), unknown)
                told = [
                    limit
                    for limit, calls in zip(unknown, over, strict=True)
                    if ask.request_id in calls
                ]
                counting = [each for each in counting if each.limit not in told]
        raise StoreUnavailable(Store.COUNTERS)

    async def expired(self) -> Sequence[Reservation]:
        now_ns = self._clock.now_ns()
        if self._instead is None:
            await self._look_for_lost(now_ns)
        lost = [call for call in self._open_here() if call.ask.lease_until_ns <= now_ns]
        return [call for call in lost if not await self._is_over(call)]

    async def _is_over(self, reservation: Reservation) -> bool:
        """Whether the ledger has it already: whoever wrote that was killed before the server heard
        of it. Then it comes to what stands there; corrections are told by themselves."""
        held = self._open.get(reservation.ask.request_id.int)
        if self._booked is None or held is None or held.at_ns:
            return False
        try:
            call = await self._booked(reservation.ask.request_id)
        except StoreUnavailable:
            return True  # or not: there is a next time
        if call is not None:
            self.settle(reservation, call.entry.usage, call.entry.cost)
        return call is not None

    async def flush(self) -> None:
        """Returns once the server knows what was settled so far, however long that takes."""
        await self._pass_on()
        await self._line.flush()

    async def aclose(self) -> None:
        """Leaves it to the line to tell the server what was settled so far."""
        if self._seeds is not None:
            await self._seeds.aclose()
        await self._pass_on()

    async def _pass_on(self) -> None:
        if self._after_ledger is not None:
            await self._after_ledger.flush()

    async def _look_for_lost(self, now_ns: int) -> None:
        try:
            found = await self._lost.found((now_ns + self._ahead_ns) // _NS_PER_MS)
        except StoreUnavailable:
            return  # there is a next time
        for reservation in found:
            self._adopt(reservation)

    def _open_here(self) -> Iterator[Reservation]:
        return (held.reservation for held in self._open.values())

    def _adopt(self, reservation: Reservation) -> None:
        held = Held(reservation)
        self._open.setdefault(reservation.ask.request_id.int, held)

    async def _put(
        self, mode: str, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Question, Reply, int]:
        counting = counted(ask, limits)
        if mode == "admit":
            self._lost.tell(ask)
        for _ in range(_TRIES):
            now, about_ns = self.now()
            question = self._question(mode, ask, counting, now)
            order = Order(script=ADMIT, keys=question.keys(), args=question.args(about_ns))
            try:
                reply = read_reply(await self._line.ask(order))
            except (StoreUnavailable, asyncio.CancelledError):
                if mode == "admit" and order.was_sent:
                    self._line.tell(undoing(Reservation(ask=ask), now))
                raise
            self._take_in(reply)
            now_ns = about_ns if self._instead else reply.now_us * _NS_PER_US
            if reply.outcome in (Outcome.ADMITTED, Outcome.REFUSED):
                return question, reply, now_ns
            if reply.outcome is Outcome.UNKNOWN and self._seeds is not None:
                unknown = [counting[index].limit for index in reply.unknown]
                await self._seeds.sow(tenant_of(ask), unknown)
        raise StoreUnavailable(Store.COUNTERS)

    def _question(self, mode: str, ask: Ask, counting: Sequence[Counted], now: str) -> Question:
        return Question.of(ask, counting, mode=mode, now=now, has_past=self._seeds is not None)

    def now(self) -> tuple[str, int]:
        """For a script, and about when that will be, in nanoseconds."""
        if self._instead is None:
            return "", self._clock.now_ns() + self._ahead_ns
        now_ns = self._instead.now_ns()
        return str(now_ns // _NS_PER_US), now_ns

    def _take_in(self, reply: Reply) -> None:
        self._ahead_ns = reply.now_us * _NS_PER_US - self._clock.now_ns()
        for found in reply.found:
            self._adopt(read_reservation(found))


_: type[Admission] = RedisAdmission
