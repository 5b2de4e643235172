import asyncio
import math

from langroute.application.alarm import Alarm


class Bell:
    def __init__(self) -> None:
        self.rung_at_s: list[float] = []
        self.rung = asyncio.Event()

    def __call__(self) -> None:
        self.rung_at_s.append(asyncio.get_running_loop().time())
        self.rung.set()


async def test_one_that_is_discarded_is_silent_until_it_is_set_again() -> None:
    bell = Bell()
    alarm = Alarm(0.01, bell)
    alarm.set()
    alarm.discard()
    assert not alarm.is_set
    other = Bell()
    Alarm(0.05, other).set()
    await asyncio.wait_for(other.rung.wait(), 30)
    assert bell.rung_at_s == []

    alarm.set()
    await asyncio.wait_for(bell.rung.wait(), 30)
    assert not alarm.is_set


async def test_rings_once_and_no_sooner_than_it_was_set_for() -> None:
    bell = Bell()
    alarm = Alarm(0.05, bell)
    began_s = asyncio.get_running_loop().time()

    alarm.set()
    alarm.set()
    await asyncio.wait_for(bell.rung.wait(), 30)

    assert bell.rung_at_s[0] - began_s >= 0.04
    bell.rung.clear()
    alarm.set()
    await asyncio.wait_for(bell.rung.wait(), 30)
    assert len(bell.rung_at_s) == 2


async def test_what_was_stopped_does_not_ring_and_what_was_set_since_waits_its_time() -> None:
    stopped, bell = Bell(), Bell()
    one, other = Alarm(0.05, stopped), Alarm(0.1, bell)
    one.set()
    other.set()
    one.stop()
    other.stop()
    await asyncio.sleep(0)
    set_at_s = asyncio.get_running_loop().time()
    other.set()

    await asyncio.wait_for(bell.rung.wait(), 30)

    assert bell.rung_at_s[0] - set_at_s >= 0.09
    assert not stopped.rung_at_s


async def test_never_is_a_time_too() -> None:
    bell = Bell()
    alarm = Alarm(math.inf, bell)
    alarm.set()
    alarm.stop()
    assert not bell.rung_at_s
