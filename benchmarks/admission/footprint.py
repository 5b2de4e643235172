"""`python -m benchmarks.admission.footprint`: what keys weigh in memory, in a process of its own.

Each has the two limits that most keys have, and made a call; a busy one made one in each slot of a
minute.
"""

import asyncio
import gc
import json
import sys
from collections.abc import Sequence
from uuid import uuid4

import psutil

from langroute.adapters.memory.admission import MemoryAdmission
from langroute.adapters.memory.history import MemoryHistory
from langroute.adapters.memory.ledger import MemoryLedger
from langroute.domain.admission import Reservation
from langroute.domain.ids import KeyId
from langroute.domain.limits import Limit
from langroute.domain.rate_window import MINUTE_NS, SLOTS

from .scene import COST, USAGE, Tenant, usual_limits

_BUSY = 300


class _Clock:
    def __init__(self) -> None:
        self.ns = 1_800_000_000 * 10**9

    def now_ns(self) -> int:
        return self.ns

    def monotonic_ns(self) -> int:
        return self.ns


async def main(keys: int) -> None:
    print(json.dumps({"idle": await _weight(keys, 1), "busy": await _weight(_BUSY, SLOTS + 1)}))


async def _weight(keys: int, slots: int) -> float:
    """Bytes for each key, beside what its limits themselves weigh."""
    clock, tenant = _Clock(), Tenant()
    carried = [(key, usual_limits(key)) for key in (KeyId(uuid4()) for _ in range(keys))]
    admission = MemoryAdmission(clock, MemoryHistory(MemoryLedger()))
    before = _resident()
    for _ in range(slots):
        for key, limits in carried:
            await _call(admission, tenant, key, limits)
        clock.ns += MINUTE_NS // SLOTS
    if len(admission) != 2 * keys:
        raise RuntimeError(f"{len(admission)} counters of {keys} keys")
    return (_resident() - before) / keys


async def _call(
    admission: MemoryAdmission, tenant: Tenant, key: KeyId, limits: Sequence[Limit]
) -> None:
    decision, _ = await admission.admit(tenant.ask(key), limits)
    assert isinstance(decision, Reservation)
    admission.settle(decision, USAGE, COST)


def _resident() -> int:
    gc.collect()
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
