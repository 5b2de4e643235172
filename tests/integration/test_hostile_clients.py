"""Clients that mean no good, over bare sockets, and what becomes of what they have begun."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from gateway_fixtures import Scene, scene_on
from langroute.domain.nesting import MAX_VALUES
from langroute.entrypoints.cli import hypercorn_config
from langroute.entrypoints.http import tcp_connection
from upstreams.turn import Turn

_PATIENCE_S = 1.0
_CHOICE = {"index": 0, "delta": {"content": "x" * 2**20}, "finish_reason": None}
A_LARGE_PIECE = b"data: " + orjson.dumps({"id": "1", "choices": [_CHOICE]}) + b"\n\n"


@pytest.fixture
async def scene(database_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Scene]:
    monkeypatch.setattr(hypercorn_config, "_KEEP_ALIVE_S", _PATIENCE_S)
    async with scene_on(database_url, idle_timeout_s=_PATIENCE_S) as scene:
        yield scene


def asked(scene: Scene, body: bytes) -> bytes:
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {scene.key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def a_chat(**fields: object) -> bytes:
    messages = [{"role": "user", "content": "Hi"}]
    return orjson.dumps({"model": "gpt-4o-mini", "messages": messages, **fields})


@asynccontextmanager
async def connected(
    scene: Scene,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", scene.running.settings.port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


def connections() -> int:
    """Of the server, which runs in this process."""
    names = (getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks())
    return sum(name == "TCPServer.run" for name in names)


async def no_more_connections_than(count: int) -> None:
    async with asyncio.timeout(15):
        while connections() > count:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("stream", [True, False])
async def test_who_takes_nothing_of_an_answer_keeps_no_connection(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, stream: bool
) -> None:
    monkeypatch.setattr(tcp_connection, "_LAST_WORDS_S", 0.5)
    scene.openai.will(Turn(raw=[A_LARGE_PIECE] * 40) if stream else Turn(text="x" * (20 * 2**20)))
    before = connections()
    async with connected(scene) as (_, writer):
        writer.write(asked(scene, a_chat(stream=stream)))
        (entry,) = await scene.running.entries()
        # A whole answer has been paid for before it is sent.
        assert entry["outcome"] == ("client_cancelled" if stream else "succeeded")
        assert entry["usage"]["output"] > 0
        await no_more_connections_than(before)


@pytest.mark.parametrize("head", [b"", b"POST /v1/chat", b"POST / HTTP/1.1\r\nHost: a\r\n"])
async def test_who_does_not_finish_a_head_keeps_no_connection(scene: Scene, head: bytes) -> None:
    async with connected(scene) as (reader, writer), asyncio.timeout(15):
        writer.write(head)
        assert await reader.read() == b""


async def test_a_body_of_countless_values_is_refused(scene: Scene) -> None:
    body = b'{"model": "m", "x": [' + b"{}," * MAX_VALUES + b"{}]}"
    headers = {"Authorization": f"Bearer {scene.key}"}
    async with scene.running.http.post("/v1/responses", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert str(MAX_VALUES) in (await answer.json())["error"]["message"]


async def test_who_is_refused_in_the_middle_of_a_large_body_is_told_why(scene: Scene) -> None:
    headers = {"Authorization": "Bearer wrong"}
    for _ in range(3):
        body = io.BytesIO(b"x" * (8 * 2**20))
        async with scene.running.http.post("/v1/responses", data=body, headers=headers) as answer:
            assert answer.status == 401
            assert (await answer.json())["error"]["code"] == "invalid_api_key"


async def test_who_is_refused_and_sends_no_more_is_told_why_in_a_moment(scene: Scene) -> None:
    async with connected(scene) as (reader, writer), asyncio.timeout(15):
        head = b"POST /v1/responses HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"
        writer.write(head)
        assert (await reader.read()).startswith(b"HTTP/1.1 401")
