import asyncio
import gc
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from langroute.domain.admission import Reservation

from .scene import Call, Tenant
from .stores import Store

_MORE = 2_000
_FLUSHES = 50
_PAGE = bytes(8192)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Of one call, in microseconds. `before_us` and `after_us` are this process' CPU, for the
    admission and for all that its settlement takes until the server knows; `server_us` is the
    server's for both. `p50_us` and `p99_us` are how long an admission took, and `calls_per_s` how
    many were admitted."""

    before_us: float
    after_us: float
    server_us: float
    p50_us: float
    p99_us: float
    calls_per_s: float

    @property
    def client_us(self) -> float:
        return self.before_us + self.after_us


async def cost_of(store: Store, calls: Sequence[Call], *, at_a_time: int = 1) -> Cost:
    """All of them are admitted, and then all of them settled."""
    gc.collect()
    server_s = store.server_cpu_s()
    cpu_s, began = time.process_time(), time.perf_counter()
    reservations, took = await admitted(store, calls, at_a_time)
    before_s, seconds = time.process_time() - cpu_s, time.perf_counter() - began
    cpu_s = time.process_time()
    for reservation in reservations:
        store.settle(reservation)
    await store.written()
    after_s = time.process_time() - cpu_s
    took.sort()
    us = 1e6 / len(calls)
    return Cost(
        before_us=before_s * us,
        after_us=after_s * us,
        server_us=(store.server_cpu_s() - server_s) * us,
        p50_us=statistics.median(took) * 1e6,
        p99_us=took[int(len(took) * 0.99)] * 1e6,
        calls_per_s=len(calls) / seconds,
    )


async def admitted(
    store: Store, calls: Sequence[Call], at_a_time: int
) -> tuple[list[Reservation], list[float]]:
    """Their reservations, and how many seconds each took."""
    reservations: list[Reservation] = []
    took: list[float] = []
    left = iter(calls)

    async def one_after_the_other() -> None:
        for ask, limits in left:
            began = time.perf_counter()
            decision, _ = await store.admission.admit(ask, limits)
            took.append(time.perf_counter() - began)
            if not isinstance(decision, Reservation):
                raise TypeError(f"a call was refused: {decision}")
            reservations.append(decision)

    await asyncio.gather(*(one_after_the_other() for _ in range(at_a_time)))
    return reservations, took


async def warmed_up(store: Store, calls: Sequence[Call], *, at_a_time: int = 1) -> None:
    """Connections are there, and counters."""
    reservations, _ = await admitted(store, calls, at_a_time)
    for reservation in reservations:
        store.settle(reservation)
    await store.written()


async def round_trips(store: Store, calls: Sequence[Call]) -> tuple[float, int]:
    """For one admission, of calls that come one at a time, and for all settlements together."""
    trips = store.round_trips
    if trips is None:
        return 0, 0
    first = trips.count
    reservations, _ = await admitted(store, calls, 1)
    then = trips.count
    for reservation in reservations:
        store.settle(reservation)
    await store.written()
    return (then - first) / len(calls), trips.count - then


async def under_way_beside(store: Store, tenant: Tenant, calls: int) -> float:
    """What one more call costs, in microseconds, each beside so many that are under way."""
    under_way, _ = await admitted(store, tenant.calls(calls), 1)
    more = tenant.calls(_MORE)
    began = time.process_time()
    for ask, limits in more:
        decision, _ = await store.admission.admit(ask, limits)
        assert isinstance(decision, Reservation)
        store.settle(decision)
    cost_us = (time.process_time() - began) / len(more) * 1e6
    for reservation in under_way:
        store.settle(reservation)
    await store.written()
    return cost_us


def flush_ms_on(folder: Path) -> float:
    """How long the disk takes for what a commit waits for; the median."""
    took = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(_FLUSHES):
            file.write(_PAGE)
            began = time.perf_counter()
            file.flush()
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return statistics.median(took) * 1000
