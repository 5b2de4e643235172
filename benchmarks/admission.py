"""`python -m benchmarks.admission`: what one admission and its settlement cost, by the number of
limits that count a call, and of keys that call.

CPU of this process only; where a store is elsewhere, its own is not in it.
"""

import asyncio
import gc
import time
import tracemalloc
from collections.abc import Sequence
from uuid import UUID, uuid4

from rich.console import Console
from rich.table import Table

from langroute.adapters.memory.admission import MemoryAdmission
from langroute.adapters.system.clock import SystemClock
from langroute.application.ports.admission import Admission
from langroute.domain.admission import Ask, Reservation
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.limits import Limit, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope, organization_scope, team_scope
from langroute.domain.periods import Every, Period
from langroute.domain.usage import TokenUsage

_CALLS = 4_000
_LEASE_NS = 600 * 10**9
_PLENTY = 10**15
_MONTH = Period(every=Every.MONTH, zone="Europe/Berlin")
_USAGE = TokenUsage(input=200, output=100)
_TEAM, _ORGANIZATION = UUID(int=1), UUID(int=2)


async def main() -> None:
    console = Console()
    console.print(f"{_CALLS} calls each, settled one by one")
    console.print(await _by_limits())
    console.print(await _by_keys())


async def _by_limits() -> Table:
    table = _table("µs a call, by the limits that count it", "limits", "one hot key", "1,000 keys")
    for count in range(1, 7):
        hot = await _cost_us(_memory(), [KeyId(uuid4())], count)
        many = await _cost_us(_memory(), [KeyId(uuid4()) for _ in range(1_000)], count)
        table.add_row(str(count), f"{hot:.1f}", f"{many:.1f}")
    return table


async def _by_keys() -> Table:
    table = _table(
        "three limits, by the keys that call", "keys", "µs a call", "MB for 100,000 keys"
    )
    for count in (10, 1_000, 100_000):
        keys = [KeyId(uuid4()) for _ in range(count)]
        cost = await _cost_us(_memory(), keys, 3)
        table.add_row(f"{count:,}", f"{cost:.1f}", f"{await _memory_mb(keys):.1f}")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _memory() -> Admission:
    return MemoryAdmission(SystemClock())


async def _cost_us(admission: Admission, keys: Sequence[KeyId], limits: int) -> float:
    calls = [(_ask(key), _limits(key, limits)) for key in _round(keys, _CALLS)]
    gc.collect()
    before = time.process_time()
    for ask, counting in calls:
        decision, _ = await admission.admit(ask, counting)
        assert isinstance(decision, Reservation)
        admission.settle(decision, _USAGE, Money(5))
    return (time.process_time() - before) / len(calls) * 1e6


async def _memory_mb(keys: Sequence[KeyId]) -> float:
    """Of the counters alone, after a call of each key."""
    admission = _memory()
    tracemalloc.start()
    for key in keys:
        decision, _ = await admission.admit(_ask(key), _limits(key, 3))
        assert isinstance(decision, Reservation)
        admission.settle(decision, _USAGE, Money(5))
    gc.collect()
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return used / 2**20 / len(keys) * 100_000


def _round(keys: Sequence[KeyId], count: int) -> list[KeyId]:
    return [keys[number % len(keys)] for number in range(count)]


def _limits(key: KeyId, count: int) -> list[Limit]:
    scopes = [key_scope(key), team_scope(_TEAM), organization_scope(_ORGANIZATION)]
    kinds = [
        Limit(scope=scopes[0], measure=Measure.REQUESTS, amount=_PLENTY),
        Limit(scope=scopes[0], measure=Measure.TOKENS, amount=_PLENTY),
        Limit(scope=scopes[1], measure=Measure.MONEY, amount=_PLENTY, window=_MONTH),
        Limit(scope=scopes[1], measure=Measure.TOKENS, amount=_PLENTY),
        Limit(scope=scopes[2], measure=Measure.MONEY, amount=_PLENTY, window=_MONTH),
        Limit(scope=scopes[2], measure=Measure.REQUESTS, amount=_PLENTY),
    ]
    return kinds[:count]


def _ask(key: KeyId) -> Ask:
    now_ns = time.time_ns()
    return Ask(
        request_id=RequestId(uuid4()),
        key_id=key,
        model="bench",
        streamed=False,
        at_ns=now_ns,
        lease_until_ns=now_ns + _LEASE_NS,
        input_bound=1_000,
        output_bound=500,
        cost_bound=Money(1_000),
    )


if __name__ == "__main__":
    asyncio.run(main())
