import time

from langroute.adapters.system.clock import SystemClock


def test_tells_unix_time_in_whole_microseconds() -> None:
    clock = SystemClock()
    before = time.time_ns()
    now_ns = clock.now_ns()
    after = time.time_ns()
    assert before - 1_000 < now_ns <= after
    assert all(clock.now_ns() % 1_000 == 0 for _ in range(1_000))


def test_the_monotonic_clock_never_steps_back() -> None:
    clock = SystemClock()
    readings = [clock.monotonic_ns() for _ in range(10_000)]
    assert readings == sorted(readings)
