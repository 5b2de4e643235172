"""How much room counters take."""

import asyncio
import json
import sys
from collections.abc import Sequence

from .scene import Call, Tenant, usual_limits
from .stores import Open

_CHILD_S = 120.0


async def weights(stores: Sequence[Open], keys: int) -> list[tuple[str, float]]:
    """Bytes for each key."""
    found = list((await _in_memory(keys)).items())
    tenant = Tenant(keys)
    calls = [Call(tenant.ask(key), usual_limits(key)) for key in tenant.keys]
    for opened in stores:
        async with opened() as store:
            if store.weight is not None:
                before = await store.weight()
                await store.plant(calls)
                found.append((store.name, (await store.weight() - before) / keys))
    return found


async def _in_memory(keys: int) -> dict[str, float]:
    """In a process of its own, so that nothing else is in it."""
    command = (sys.executable, "-m", "benchmarks.admission.footprint", str(keys))
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    async with asyncio.timeout(_CHILD_S):
        said, _ = await child.communicate()
    told = json.loads(said)
    return {"memory": told["idle"], "memory, a call in each slot of a minute": told["busy"]}
