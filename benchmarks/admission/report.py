import asyncio
import os
import platform
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop
from rich.console import Console
from rich.table import Table

from .measuring import Cost, cost_of, flush_ms_on, round_trips, under_way_beside, warmed_up
from .scene import SCOPES, Tenant
from .stores import Open, Store, servers
from .weights import weights

_WARM_UP = 100
_CALLERS = 64
_SETTLED = 200
_UNDER_WAY = (10, 10_000)
_WIDTH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """`calls` are those for each number; counted in memory, where they are fast, four times as
    many."""

    calls: int
    keys: Sequence[int]
    weighed: int

    def calls_of(self, store: Store) -> int:
        return self.calls * 4 if store.server is None else self.calls


WHOLE = Size(calls=500, keys=(10, 1_000, 100_000), weighed=20_000)
QUICK = Size(calls=200, keys=(10, 1_000), weighed=5_000)


def run(*, quick: bool) -> None:
    """On the event loop that gateways have."""
    console = Console(width=max(Console().width, _WIDTH))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_report(console, QUICK if quick else WHOLE))


async def _report(console: Console, size: Size) -> None:
    began = time.perf_counter()
    console.print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"{size.calls:,} calls for each number.\n"
        "µs are CPU for one call, its admission and its settlement: here + the server's."
    )
    async with servers() as running:
        flush_ms = await asyncio.to_thread(flush_ms_on, running.folder)
        console.print(f"A flush to this disk, which Postgres waits for: {flush_ms:.2f} ms.")
        stores = (running.memory, running.postgres, running.valkey)
        console.print(await _three_scopes(stores, size))
        console.print(await _by_scopes(stores, size))
        console.print(await _by_keys(stores, size))
        console.print(await _hot_key(stores, size))
        console.print(await _under_way(running.memory))
        console.print(await _weights(stores, size))
    console.print(f"took {time.perf_counter() - began:.0f} s")


async def _three_scopes(stores: Sequence[Open], size: Size) -> Table:
    table = _table(
        "three scopes, one call at a time: CPU before the call and after it, how long it\n"
        f"waits, and round trips, before it and for {_SETTLED} settlements together",
        *("before µs", "after µs", "server µs", "p50 ms", "p99 ms", "trips before", "after"),
    )
    for opened in stores:
        async with opened() as store:
            tenant = Tenant()
            await warmed_up(store, tenant.calls(_WARM_UP))
            cost = await cost_of(store, tenant.calls(size.calls_of(store)))
        async with opened(counting=True) as store:
            tenant = Tenant()
            await warmed_up(store, tenant.calls(1))
            before, after = await round_trips(store, tenant.calls(_SETTLED))
        table.add_row(
            store.name,
            *(f"{us:.0f}" for us in (cost.before_us, cost.after_us, cost.server_us)),
            *(f"{us / 1000:.2f}" for us in (cost.p50_us, cost.p99_us)),
            *(f"{before:.2f}", str(after)),
        )
    return table


async def _by_scopes(stores: Sequence[Open], size: Size) -> Table:
    told = ", ".join(SCOPES)
    numbers = map(str, range(1, len(SCOPES) + 1))
    table = _table(f"by the scopes that count a call, each with a limit: µs\n({told})", *numbers)
    for opened in stores:
        async with opened() as store:
            costs = []
            for scopes in range(1, len(SCOPES) + 1):
                tenant = Tenant()
                await warmed_up(store, tenant.calls(_WARM_UP, scopes))
                costs.append(await cost_of(store, tenant.calls(size.calls_of(store), scopes)))
        table.add_row(store.name, *map(_cpu, costs))
    return table


async def _by_keys(stores: Sequence[Open], size: Size) -> Table:
    table = _table(
        "three scopes, by the keys that have counters: µs", *(f"{n:,}" for n in size.keys)
    )
    told: dict[str, list[str]] = {}
    for keys in size.keys:
        tenant = Tenant(keys)
        first_calls = tenant.calls(keys)
        for opened in stores:
            async with opened() as store:
                await store.plant(first_calls)
                await warmed_up(store, tenant.calls(_WARM_UP))
                cost = await cost_of(store, tenant.calls(size.calls_of(store)))
                told.setdefault(store.name, []).append(_cpu(cost))
    for name, costs in told.items():
        table.add_row(name, *costs)
    return table


async def _hot_key(stores: Sequence[Open], size: Size) -> Table:
    table = _table(
        f"{_CALLERS} callers at once: of one key, and each of an organization of its own",
        *("one key µs", "calls/s", "p50 ms", "p99 ms"),
        *("apart µs", "calls/s", "p50 ms", "p99 ms"),
    )
    for opened in stores:
        async with opened() as store:
            told: list[str] = []
            for tenants in ([Tenant()], [Tenant() for _ in range(_CALLERS)]):
                each = max(2, size.calls_of(store) // len(tenants))
                await warmed_up(store, [call for one in tenants for call in one.calls(2)])
                calls = [call for one in tenants for call in one.calls(each)]
                random.Random(0).shuffle(calls)  # noqa: S311  (no secret)
                cost = await cost_of(store, calls, at_a_time=_CALLERS)
                told += (_cpu(cost), f"{cost.calls_per_s:,.0f}")
                told += (f"{us / 1000:.2f}" for us in (cost.p50_us, cost.p99_us))
        table.add_row(store.name, *told)
    return table


async def _under_way(memory: Open) -> Table:
    table = _table("one key, by its calls that are under way: µs", *(f"{n:,}" for n in _UNDER_WAY))
    async with memory() as store:
        costs = [await under_way_beside(store, Tenant(), calls) for calls in _UNDER_WAY]
    table.add_row("memory", *(f"{us:.1f}" for us in costs))
    return table


async def _weights(stores: Sequence[Open], size: Size) -> Table:
    table = _table("what 100,000 keys with two limits each take, once they made a call", "MB")
    for name, of_a_key in await weights(stores, size.weighed):
        table.add_row(name, f"{of_a_key * 100_000 / 2**20:.0f}")
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("")
    for column in columns:
        table.add_column(column, justify="right")
    return table


def _cpu(cost: Cost) -> str:
    if not cost.server_us:
        return f"{cost.client_us:.1f}"
    return f"{cost.client_us:.0f}+{cost.server_us:.0f}"
