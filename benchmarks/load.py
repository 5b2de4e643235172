import asyncio
import statistics
import time
from dataclasses import dataclass

import aiohttp

_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A bounded number of chats, so many at a time, and for a bounded time."""

    calls: int
    seconds: float
    at_a_time: int
    stream: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """`seconds` for all the `calls` that were made; the others are those of one call, in
    milliseconds."""

    calls: int
    seconds: float
    p50_ms: float
    p99_ms: float


async def drive(base_url: str, headers: dict[str, str], model: str, load: Load) -> Timing:
    body: dict[str, object] = {
        "model": model,
        "messages": [{"role": "user", "content": "Tell me of the fox. " * 4}],
        "max_tokens": 64,
    }
    if load.stream:
        body["stream"] = True
    left = iter(range(load.calls))
    took: list[float] = []
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    connector = aiohttp.TCPConnector(limit=load.at_a_time)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:

        async def one_after_the_other() -> None:
            for _ in left:
                began = time.perf_counter()
                if began > until:
                    return
                url = f"{base_url}/chat/completions"
                async with session.post(url, json=body, headers=headers) as response:
                    answer = await response.read()
                    if response.status != 200 or b"finish_reason" not in answer:
                        raise RuntimeError(f"{response.status}: {answer[:300]!r}")
                took.append(time.perf_counter() - began)

        began = time.perf_counter()
        until = began + load.seconds
        await asyncio.gather(*(one_after_the_other() for _ in range(load.at_a_time)))
        seconds = time.perf_counter() - began
    took.sort()
    return Timing(
        calls=len(took),
        seconds=seconds,
        p50_ms=statistics.median(took) * 1000,
        p99_ms=took[int(len(took) * 0.99)] * 1000,
    )
