"""Calls that the gateway does not wait for any longer when it stops."""

import asyncio
from typing import Any

import aiohttp
import pytest

from gateway_fixtures import Answered, Scene, running_gateway, scene_on

BODY = {"model": "gpt-4o-mini", "max_tokens": 10, "messages": [{"role": "user", "content": "Hi"}]}
MESSAGE = (
    "The gateway is shutting down, and could not wait for this call any longer. "
    "Try again in a moment."
)
OPENAI = {"message": MESSAGE, "type": "server_error", "param": None, "code": "shutting_down"}
ANTHROPIC = {"type": "overloaded_error", "message": MESSAGE}


@pytest.mark.parametrize(
    ("path", "headers", "error"),
    [
        ("/v1/chat/completions", {}, OPENAI),
        ("/v1/chat/completions", {"idempotency-key": "once"}, OPENAI),
        ("/v1/messages", {}, ANTHROPIC),
    ],
)
async def test_a_call_that_takes_too_long_is_answered_and_settled(
    database_url: str, path: str, headers: dict[str, str], error: dict[str, Any]
) -> None:
    async with (
        asyncio.timeout(60),
        asyncio.TaskGroup() as group,
        scene_on(database_url, shutdown_timeout_s=0.1) as scene,
    ):
        scene.openai.hang()
        call = group.create_task(_ask(scene, path, headers))
        while not scene.openai.seen:
            await asyncio.sleep(0.01)
    answered = call.result()
    assert (answered.status, answered.body["error"]) == (503, error)
    assert answered.headers["retry-after"] == "1"
    async with running_gateway(database_url) as again:
        (entry,) = await again.entries()
    assert entry["outcome"] == "client_cancelled"


async def _ask(scene: Scene, path: str, headers: dict[str, str]) -> Answered:
    allowed = {"Authorization": f"Bearer {scene.key}", **headers}
    async with (
        aiohttp.ClientSession(scene.running.url) as http,
        http.post(path, json=BODY, headers=allowed) as response,
    ):
        return await Answered.of(response)
