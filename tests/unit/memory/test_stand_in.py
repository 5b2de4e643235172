"""What was admitted while the shared store was away is told to it, each call by itself."""

import asyncio
from collections.abc import Sequence

import pytest

from admitting import CLOCK, a_call
from langroute.adapters.memory.admission import MemoryAdmission
from langroute.adapters.memory.stand_in import SharedAdmission, StandIn
from langroute.domain.admission import Ask, Reservation
from langroute.domain.errors import StoreUnavailable
from langroute.domain.ids import KeyId
from langroute.domain.limits import Limit, Refusal, Standing
from langroute.domain.money import ZERO
from langroute.domain.stores import Store
from langroute.domain.usage import NO_USAGE
from samples import ENTROPY

KEY = KeyId(ENTROPY.uuid())
AWAY = StoreUnavailable(Store.COUNTERS)


class Elsewhere(MemoryAdmission):
    """Away at first. Once it is back, it takes every call but those that it is at odds with."""

    def __init__(self) -> None:
        super().__init__(CLOCK)
        self.is_away = True
        self.at_odds: dict[int, Exception] = {}
        self.counted: set[int] = set()

    async def admit(
        self, ask: Ask, limits: Sequence[Limit]
    ) -> tuple[Reservation | Refusal, Sequence[Standing]]:
        self._check()
        return await super().admit(ask, limits)

    async def count(self, ask: Ask, limits: Sequence[Limit]) -> None:
        self._check()
        number = ask.request_id.int
        if number in self.at_odds:
            raise self.at_odds[number]
        await super().admit(ask, limits)
        self.counted.add(number)

    def _check(self) -> None:
        if self.is_away:
            raise AWAY


_: type[SharedAdmission] = Elsewhere


@pytest.mark.parametrize("error", [AWAY, ValueError("too large")])
async def test_one_call_that_cannot_be_counted_does_not_hold_up_the_others(
    error: Exception,
) -> None:
    store = Elsewhere()
    stand_in = StandIn(store, CLOCK, sharers=2)
    calls = [a_call(KEY) for _ in range(5)]
    numbers = [call.request_id.int for call in calls]
    for call in calls:
        decision, _ = await stand_in.admit(call, ())
        assert isinstance(decision, Reservation)
    store.at_odds = dict.fromkeys((numbers[0], numbers[2]), error)
    store.is_away = False

    async with asyncio.timeout(20):
        while store.counted != {numbers[1], numbers[3], numbers[4]}:
            await asyncio.sleep(0.01)
        # It is tried again, and is settled there like the others once it is taken.
        assert stand_in.settle(Reservation(ask=calls[0]), NO_USAGE, ZERO) is not None
        store.at_odds = {}
        while store.counted != set(numbers):
            await asyncio.sleep(0.01)
        assert store.settle(Reservation(ask=calls[0]), NO_USAGE, ZERO) is None
        assert stand_in.settle(Reservation(ask=calls[1]), NO_USAGE, ZERO) is not None
    await stand_in.aclose()


async def test_calls_that_no_limit_counts_are_settled_each_once() -> None:
    """Also where nothing was counted yet, so that there is nothing in it to be found."""
    stand_in = StandIn(Elsewhere(), CLOCK, sharers=2)
    calls = [a_call(KEY) for _ in range(3)]
    for call in calls:
        await stand_in.admit(call, ())
    for call in calls:
        assert stand_in.settle(Reservation(ask=call), NO_USAGE, ZERO) is not None
        assert stand_in.settle(Reservation(ask=call), NO_USAGE, ZERO) is None
    await stand_in.aclose()


async def test_entries_do_not_wait_for_a_call_that_will_never_be_taken() -> None:
    store = Elsewhere()
    stand_in = StandIn(store, CLOCK, sharers=2)
    bad, good = a_call(KEY), a_call(KEY)
    for call in (bad, good):
        await stand_in.admit(call, ())
        assert stand_in.settle(Reservation(ask=call), NO_USAGE, ZERO) is not None
    store.at_odds = {bad.request_id.int: ValueError("too large")}
    store.is_away = False

    async with asyncio.timeout(20):
        while good.request_id.int not in store.counted:
            await asyncio.sleep(0.01)
        while True:
            try:
                await stand_in.counted()
                break
            except TimeoutError:
                await asyncio.sleep(0.01)
    await stand_in.aclose()
