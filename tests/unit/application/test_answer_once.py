import asyncio
from uuid import UUID

import pytest
from scene import CountingEntropy, ManualClock

from langroute.adapters.memory.idempotency import MemoryIdempotency
from langroute.application.idempotency.answer_once import AnswerOnce
from langroute.application.idempotency.forget_replies import ForgetReplies
from langroute.application.idempotency.turn import Turn
from langroute.domain.errors import IdempotencyKeyInUse, IdempotencyKeyReused, StoreUnavailable
from langroute.domain.idempotency import DAY_NS, UNDER_WAY, KeptReply, RepeatableCall
from langroute.domain.ids import KeyId
from langroute.domain.timeouts import Timeouts

CALL = RepeatableCall(key_id=KeyId(UUID(int=1)), name="one", request=b"r")
OTHER = RepeatableCall(key_id=KeyId(UUID(int=1)), name="one", request=b"o")


def a_reply(status: int = 200, body: bytes = b"{}") -> KeptReply:
    return KeptReply(status=status, headers=(), body=body)


class AwayStore(MemoryIdempotency):
    """Can be asked, and then told nothing."""

    async def keep(self, call: RepeatableCall, owner: UUID, reply: KeptReply) -> None:
        raise StoreUnavailable

    async def forget(self, call: RepeatableCall, owner: UUID) -> None:
        raise StoreUnavailable

    async def renew(self, call: RepeatableCall, owner: UUID) -> bool:
        raise StoreUnavailable


class Scene:
    def __init__(self, store: type[MemoryIdempotency] = MemoryIdempotency, **given: float) -> None:
        self.clock = ManualClock()
        self.replies = store(self.clock, largest=100, lease_s=given.get("lease_s", 15.0))
        self.answer_once = AnswerOnce(
            replies=self.replies,
            clock=self.clock,
            entropy=CountingEntropy(),
            timeouts=Timeouts(total_s=100),
        )

    async def turn(self) -> Turn:
        found = await self.answer_once(CALL)
        assert isinstance(found, Turn)
        return found


async def test_the_first_answers_and_all_others_get_its_answer() -> None:
    scene = Scene()
    turn = await scene.turn()
    others = [asyncio.create_task(scene.answer_once(CALL)) for _ in range(3)]
    async with turn.held():
        await turn.keep(a_reply())
    async with asyncio.timeout(5):
        assert await asyncio.gather(*others) == [a_reply()] * 3


async def test_another_request_of_the_same_name_is_refused() -> None:
    scene = Scene()
    await scene.turn()
    with pytest.raises(IdempotencyKeyReused):
        await scene.answer_once(OTHER)


async def test_whoever_waits_does_not_wait_for_ever() -> None:
    scene = Scene(lease_s=10**6)
    await scene.turn()
    waiting = asyncio.create_task(scene.answer_once(CALL))
    await asyncio.sleep(0)
    scene.clock.advance(100)
    async with asyncio.timeout(5):
        with pytest.raises(IdempotencyKeyInUse):
            await waiting


@pytest.mark.parametrize("status", [401, 403, 404, 408, 409, 429, 500, 502, 503, 504])
async def test_what_failed_is_asked_for_anew(status: int) -> None:
    scene = Scene()
    turn = await scene.turn()
    async with turn.held():
        await turn.keep(a_reply(status))
    await scene.turn()


@pytest.mark.parametrize("status", [200, 201, 400, 413, 422])
async def test_what_would_be_the_same_again_is_kept(status: int) -> None:
    scene = Scene()
    turn = await scene.turn()
    async with turn.held():
        await turn.keep(a_reply(status))
    assert await scene.answer_once(CALL) == a_reply(status)


async def test_what_is_too_large_or_came_to_nothing_is_asked_for_anew() -> None:
    scene = Scene()
    turn = await scene.turn()
    async with turn.held():
        await turn.keep(a_reply(body=b"x" * 101))
    turn = await scene.turn()
    with pytest.raises(ZeroDivisionError):
        async with turn.held():
            raise ZeroDivisionError
    await scene.turn()


async def test_whoever_answers_for_long_is_not_replaced() -> None:
    renewed = asyncio.Event()

    class Noticing(MemoryIdempotency):
        async def renew(self, call: RepeatableCall, owner: UUID) -> bool:
            renewed.set()
            return await super().renew(call, owner)

    scene = Scene(Noticing, lease_s=0.03)
    turn = await scene.turn()
    async with turn.held(), asyncio.timeout(5):
        for _ in range(3):
            scene.clock.advance(0.02)
            renewed.clear()
            await renewed.wait()
            assert await scene.replies.begin(CALL, UUID(int=99)) == UNDER_WAY


async def test_a_store_that_is_away_does_not_spoil_the_answer() -> None:
    turn = await Scene(AwayStore, lease_s=0.003).turn()
    async with turn.held():
        await asyncio.sleep(0.01)
        await turn.keep(a_reply())


async def test_old_replies_are_forgotten_for_as_long_as_that_is_awaited() -> None:
    scene = Scene()
    turn = await scene.turn()
    async with turn.held():
        await turn.keep(a_reply())
    scene.clock.ns += DAY_NS
    forgetting = asyncio.create_task(ForgetReplies(scene.replies, every_s=0.001)())
    async with asyncio.timeout(5):
        while len(scene.replies):
            await asyncio.sleep(0.001)
    forgetting.cancel()
    await asyncio.gather(forgetting, return_exceptions=True)
