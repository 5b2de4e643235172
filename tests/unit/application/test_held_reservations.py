"""No answer is passed on before its reservation is held."""

import asyncio
from collections.abc import Sequence

import pytest
from scene import (
    USAGE,
    Answer,
    ManualClock,
    Scene,
    ScriptedStream,
    ScriptedUpstream,
    a_chat,
    a_chunk,
    a_key,
    a_reply,
    usage_chunk,
)

from langroute.adapters.memory.reservations import MemoryReservations
from langroute.application.ports.clock import Clock
from langroute.domain.admission import Reservation
from langroute.domain.errors import LedgerFull, StoreUnavailable
from langroute.domain.ledger import Outcome
from langroute.domain.limits import Limits


class SlowReservations(MemoryReservations):
    """Holds nothing before it is let."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.asked = asyncio.Event()
        self.written = asyncio.Event()
        self.away = False
        self.full = False

    def check_room(self) -> None:
        if self.full:
            raise LedgerFull

    async def held(self, reservation: Reservation) -> None:
        self.asked.set()
        if self.away:
            raise StoreUnavailable
        await self.written.wait()

    def open(self) -> Sequence[Reservation]:
        return list(self._open.values())


async def a_scene(answer: Answer) -> tuple[Scene, SlowReservations]:
    clock = ManualClock()
    reservations = SlowReservations(clock)
    upstream = ScriptedUpstream(openai=answer)
    scene = Scene(upstream=upstream, clock=clock, reservations=reservations)
    return await scene.save("sk", "openai"), reservations


async def test_an_answer_waits_for_its_reservation() -> None:
    scene, reservations = await a_scene(a_reply())
    call = asyncio.create_task(scene.complete_chat(a_key(), a_chat()))
    async with asyncio.timeout(5):
        await reservations.asked.wait()
    assert not call.done()
    assert len(reservations.open()) == 1

    reservations.written.set()

    assert (await call).body == a_reply().body
    assert reservations.open() == []


async def test_a_whole_answer_that_may_not_be_passed_on_is_paid_for() -> None:
    scene, reservations = await a_scene(a_reply())
    reservations.away = True

    with pytest.raises(StoreUnavailable) as error:
        await scene.complete_chat(a_key(Limits(tokens_per_minute=10_000)), a_chat(max_tokens=9))

    entry = await scene.entry()
    assert (entry.outcome, entry.error) == (Outcome.FAILED, "StoreUnavailable")
    assert (entry.usage, entry.estimated, entry.provider) == (USAGE, False, "openai")
    assert await scene.holds_nothing()
    assert reservations.open() == []
    assert error.value.receipt is not None
    assert [attempt.result for attempt in error.value.receipt.attempts] == ["ok"]


async def test_a_stream_that_may_not_be_passed_on_is_hung_up_and_paid_for() -> None:
    script = ScriptedStream(a_chunk("Hello, you there"), usage_chunk())
    scene, reservations = await a_scene(script)
    reservations.away = True

    with pytest.raises(StoreUnavailable):
        await scene.stream_chat(a_key(), a_chat(stream=True))

    assert script.closed
    entry = await scene.entry()
    assert (entry.outcome, entry.estimated) == (Outcome.FAILED, True)
    assert entry.usage.input > 0
    assert entry.usage.output > 0
    assert await scene.holds_nothing()


async def test_a_caller_who_hangs_up_meanwhile_cancels_the_call() -> None:
    script = ScriptedStream(a_chunk("Hello"), usage_chunk())
    scene, reservations = await a_scene(script)
    call = asyncio.create_task(scene.stream_chat(a_key(), a_chat(stream=True)))
    async with asyncio.timeout(5):
        await reservations.asked.wait()

    call.cancel()
    await asyncio.gather(call, return_exceptions=True)

    assert call.cancelled()
    assert script.closed
    assert (await scene.entry()).outcome is Outcome.CLIENT_CANCELLED
    assert await scene.holds_nothing()


async def test_nothing_is_admitted_while_there_is_no_room() -> None:
    scene, reservations = await a_scene(a_reply())
    reservations.full = True

    with pytest.raises(LedgerFull):
        await scene.complete_chat(a_key(), a_chat())

    assert scene.upstream.calls == []
    assert await scene.entries() == []
    assert reservations.open() == []


async def test_what_another_process_has_lost_is_settled_here_at_its_bound() -> None:
    scene, reservations = await a_scene(ScriptedStream(a_chunk("Hello"), usage_chunk()))
    reservations.written.set()
    await scene.stream_chat(a_key(), a_chat(stream=True, max_tokens=40))
    (lost,) = reservations.open()
    # This process begins anew: its admission knows of no call.
    again = Scene(upstream=scene.upstream, clock=scene.clock, reservations=reservations)
    again.clock.advance(3600)

    assert await again.expire() == 1
    assert await again.expire() == 0

    entry = await again.entry()
    assert (entry.outcome, entry.estimated) == (Outcome.EXPIRED, True)
    assert (entry.usage, entry.cost) == (lost.ask.usage_bound, lost.ask.cost_bound)
