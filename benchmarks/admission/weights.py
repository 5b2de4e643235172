"""How much room counters take."""

import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager

from .measuring import warmed_up
from .scene import Call, Tenant, usual_limits
from .stores import Store

_AT_A_TIME = 100
# Of Postgres: a counter that is new takes some milliseconds.
_SAMPLED = 5_000
_CHILD_S = 120.0


async def fill(store: Store, tenant: Tenant) -> None:
    """Every key of it has a counter."""
    await store.prepare(tenant.calls(len(tenant.keys)))
    await warmed_up(store, tenant.calls(100))


async def weights(
    stores: Sequence[Callable[..., AbstractAsyncContextManager[Store]]], keys: int
) -> list[tuple[str, float]]:
    """Bytes for each key."""
    found = list((await _in_memory(keys)).items())
    for opened in stores:
        async with opened() as store:
            if store.weight is None:
                continue
            tenant = Tenant(min(keys, _SAMPLED))
            calls = [Call(tenant.ask(key), usual_limits(key)) for key in tenant.keys]
            before = await store.weight()
            await warmed_up(store, calls, at_a_time=_AT_A_TIME)
            found.append((store.name, (await store.weight() - before) / len(calls)))
    return found


async def _in_memory(keys: int) -> dict[str, float]:
    """In a process of its own, so that nothing else is in it."""
    command = (sys.executable, "-m", "benchmarks.admission.footprint", str(keys))
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(_CHILD_S):
        said, _ = await child.communicate()
    told = json.loads(said)
    return {"memory": told["idle"], "memory, a call in each slot of a minute": told["busy"]}
