import os
import platform
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

from .measuring import Cost, cost_of, round_trips, under_way_beside, warmed_up
from .scene import SCOPES, Tenant
from .stores import Store, servers
from .weights import fill, weights

Open = Callable[..., AbstractAsyncContextManager[Store]]

_WARM_UP = 100
_CALLERS = 64
_SETTLED = 200
_UNDER_WAY = (10, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    calls: int
    keys: Sequence[int]
    weighed: int


WHOLE = Size(calls=2_000, keys=(10, 1_000, 100_000), weighed=100_000)
QUICK = Size(calls=500, keys=(10, 1_000), weighed=10_000)


async def report(console: Console, *, quick: bool = False) -> None:
    size = QUICK if quick else WHOLE
    began = time.perf_counter()
    console.print(
        f"{platform.python_implementation()} {platform.python_version()}, {os.cpu_count()} cores, "
        f"{size.calls:,} calls for each number. µs are CPU for one call, its admission and its "
        "settlement: of this process + of the server"
    )
    async with servers() as running:
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
        "three scopes, one call at a time",
        *("before the call µs", "after it µs", "server µs", "admitted within p50 ms", "p99 ms"),
        *("round trips before", f"for {_SETTLED} settlements"),
    )
    for opened in stores:
        async with opened() as store:
            tenant = Tenant()
            await warmed_up(store, tenant.calls(_WARM_UP))
            cost = await cost_of(store, tenant.calls(size.calls))
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
    table = _table("by the scopes that count a call, each with one limit: µs", *SCOPES)
    for opened in stores:
        async with opened() as store:
            costs = []
            for scopes in range(1, len(SCOPES) + 1):
                tenant = Tenant()
                await warmed_up(store, tenant.calls(_WARM_UP, scopes))
                costs.append(await cost_of(store, tenant.calls(size.calls, scopes)))
        table.add_row(store.name, *map(_cpu, costs))
    return table


async def _by_keys(stores: Sequence[Open], size: Size) -> Table:
    table = _table(
        "three scopes, by the keys that have counters: µs", *(f"{n:,}" for n in size.keys)
    )
    for opened in stores:
        async with opened() as store:
            costs = []
            for keys in size.keys:
                tenant = Tenant(keys)
                await fill(store, tenant)
                costs.append(await cost_of(store, tenant.calls(size.calls)))
        table.add_row(store.name, *map(_cpu, costs))
    return table


async def _hot_key(stores: Sequence[Open], size: Size) -> Table:
    table = _table(
        f"one key, shared by {_CALLERS} that call at once, and as many with a key each",
        *("one key µs", "calls/s", "p50 ms", "p99 ms"),
        *("own keys µs", "calls/s", "p50 ms", "p99 ms"),
    )
    for opened in stores:
        async with opened() as store:
            told: list[str] = []
            for keys in (1, _CALLERS):
                tenant = Tenant(keys)
                await warmed_up(store, tenant.calls(_WARM_UP))
                cost = await cost_of(store, tenant.calls(size.calls), at_a_time=_CALLERS)
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
    table = _table("what 100,000 keys take that made a call, two limits each", "MB")
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
    return f"{cost.client_us:.0f} + {cost.server_us:.0f}"
