"""What reads the whole ledger is done once at a time: calls of models go on beside it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from quart import Quart

from langroute.application.ports.evidence import Evidence
from langroute.domain.past_calls import PastCall
from langroute.entrypoints.lifecycle import open_memory_container
from langroute.entrypoints.settings import load_settings

_SOON_S = 5.0
_FROM = {"from": "2024-10-07"}


class Held:
    """A store that does not answer before it may."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.may_answer = asyncio.Event()

    async def _wait(self) -> None:
        self.asked.set()
        await self.may_answer.wait()

    async def count(self, from_ns: int, until_ns: int, most: int) -> int:
        await self._wait()
        return 0

    async def page(
        self, from_ns: int, until_ns: int, after: PastCall | None, size: int
    ) -> Sequence[PastCall]:
        return []

    async def evidence(self) -> Evidence:
        await self._wait()
        return Evidence(now_ns=0)


@asynccontextmanager
async def app(**adapters: object) -> AsyncIterator[Quart]:
    settings = load_settings(dev=True)
    async with open_memory_container(settings, adapters=adapters) as container:
        yield container.app()


@pytest.mark.parametrize(
    ("method", "path", "body", "adapter"),
    [
        ("POST", "/api/simulate", _FROM, "past_calls"),
        ("GET", "/api/verify", None, "witnesses"),
    ],
)
async def test_a_second_one_is_told_to_come_back(
    method: str, path: str, body: Any, adapter: str
) -> None:
    held = Held()
    async with app(**{adapter: [held] if adapter == "witnesses" else held}) as served:
        http = served.test_client()
        async with asyncio.timeout(_SOON_S):
            first = asyncio.create_task(http.open(path, method=method, json=body))
            await held.asked.wait()
            second = await http.open(path, method=method, json=body)
            held.may_answer.set()
            done = await first
            third = await http.open(path, method=method, json=body)

    assert second.status_code == 409
    assert (await second.get_json())["error"]["code"] == "already_running"
    assert second.headers["retry-after"] == "5"
    assert (done.status_code, third.status_code) == (200, 200)


async def test_one_that_nobody_waits_for_any_more_makes_room() -> None:
    held = Held()
    async with app(past_calls=held) as served:
        http = served.test_client()
        async with asyncio.timeout(_SOON_S):
            first = asyncio.create_task(http.post("/api/simulate", json=_FROM))
            await held.asked.wait()
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)
            held.may_answer.set()
            second = await http.post("/api/simulate", json=_FROM)

    assert second.status_code == 200
