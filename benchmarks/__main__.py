"""`make bench`: what it costs to put a gateway in between, side by side in one run; then what
admission alone costs, by who counts.

Machines differ and are shared; read the ratios.
"""

import argparse
import asyncio
import os
import platform
import statistics
import tempfile
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from langroute.adapters.postgres.embedded import EmbeddedPostgres

from .admission.report import run as admission
from .load import Load, Timing, drive
from .subjects import Subject, direct, langroute, litellm, litellm_command

_ROUNDS = 3
_ROUND_S = 4.0
_WARM_UP = 100
_WARM_UP_S = 1.0


async def main(calls: int) -> None:
    console = Console()
    console.print(
        f"{platform.python_implementation()} {platform.python_version()}, "
        f"{os.cpu_count()} cores, {calls} calls a round, best of {_ROUNDS} rounds"
    )
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="langroute-bench-"))
        provider = await stack.enter_async_context(direct())
        subjects = [provider]
        postgres = await stack.enter_async_context(EmbeddedPostgres(Path(folder) / "postgres"))
        with console.status("starting langroute"):
            gateway = langroute(postgres.url, provider.base_url)
            subjects.append(await stack.enter_async_context(gateway))
        if command := litellm_command():
            with console.status("starting litellm"):
                subjects.append(
                    await stack.enter_async_context(litellm(command, provider.base_url))
                )
        else:
            console.print("litellm is not installed (set LITELLM to its command): left out")
        cpu_ms: list[dict[str, float]] = []
        for stream in (False, True):
            for at_a_time in (1, 16):
                load = Load(calls=calls, seconds=_ROUND_S, at_a_time=at_a_time, stream=stream)
                best = await _best(subjects, load)
                console.print(_table(best, load))
                cpu_ms.append({name: cpu for name, (_, cpu) in best.items()})
        console.print(_start_and_memory(subjects))
        if "litellm" in cpu_ms[0]:
            ratio = statistics.geometric_mean(
                each["litellm"] / each["langroute"] for each in cpu_ms
            )
            console.print(f"CPU a call, litellm over langroute, geometric mean: {ratio:.1f}")


def _table(best: dict[str, tuple[Timing, float]], load: Load) -> Table:
    what = "streamed" if load.stream else "whole"
    table = Table(title=f"{what}, {load.at_a_time} at a time", title_justify="left")
    for column in ("", "calls/s", "CPU ms a call", "p50 ms", "p99 ms", "added p50 ms"):
        table.add_column(column, justify="right" if column else "left")
    base = best["direct"][0]
    for name, (timing, cpu_ms) in best.items():
        table.add_row(
            name,
            f"{timing.calls / timing.seconds:,.0f}",
            f"{cpu_ms:.3f}",
            f"{timing.p50_ms:.2f}",
            f"{timing.p99_ms:.2f}",
            f"{timing.p50_ms - base.p50_ms:.2f}",
        )
    return table


async def _best(subjects: list[Subject], load: Load) -> dict[str, tuple[Timing, float]]:
    """Rounds take turns, so that whatever else the machine does meets them all."""
    best: dict[str, tuple[Timing, float]] = {}
    warm_up = replace(load, calls=min(_WARM_UP, load.calls), seconds=_WARM_UP_S)
    for _ in range(_ROUNDS):
        for subject in subjects:
            await drive(subject.base_url, subject.headers, "bench", warm_up)
            before = subject.cpu_s()
            timing = await drive(subject.base_url, subject.headers, "bench", load)
            cpu_ms = (subject.cpu_s() - before) / timing.calls * 1000
            known = best.get(subject.name)
            if known is None or cpu_ms < known[1]:
                best[subject.name] = (timing, cpu_ms)
    return best


def _start_and_memory(subjects: list[Subject]) -> Table:
    table = Table(title="start to first answer, and memory after the load", title_justify="left")
    for column in ("", "start s", "memory MB"):
        table.add_column(column, justify="right" if column else "left")
    for subject in subjects[1:]:
        table.add_row(subject.name, f"{subject.start_s:.2f}", f"{subject.memory_mb():.0f}")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--calls", type=int, default=2000, help="calls a round")
    parser.add_argument("--quick", action="store_true", help="of admission: fewer calls and keys")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.calls))
    admission(quick=arguments.quick)
