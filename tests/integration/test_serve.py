import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from event_streams import without_comments
from langroute.entrypoints.encryption import encryption_keys
from langroute.entrypoints.settings import load_settings
from server_process import ServerProcess, free_port
from upstreams.openai import OpenAIUpstream

CHAT = {
    "model": "told",
    "messages": [{"role": "user", "content": "one two three four five"}],
    "max_tokens": 20,
}


@pytest.fixture
async def server() -> AsyncIterator[ServerProcess]:
    async with ServerProcess.started("--dev", port=free_port()) as server:
        yield server


@pytest.fixture
async def http(server: ServerProcess) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url) as session:
        yield session


async def call(http: aiohttp.ClientSession, method: str, path: str, body: object = None) -> Any:
    async with http.request(method, path, json=body) as response:
        assert response.ok, await response.text()
        return await response.json()


async def told_route(http: aiohttp.ClientSession, upstream: OpenAIUpstream) -> dict[str, str]:
    """A route to the double, and the headers of a key that may use it."""
    provider = {"kind": "openai", "base_url": upstream.base_url, "needs_credential": False}
    await call(http, "PUT", "/api/providers/double", provider)
    target = {"provider": "double", "model": "m"}
    await call(http, "PUT", "/api/routes/told", {"targets": [target]})
    secret = (await call(http, "POST", "/api/generate-virtual-key"))["virtualKey"]
    return {"Authorization": f"Bearer {secret}"}


async def test_a_stream_that_is_under_way_is_finished_before_the_server_ends(
    server: ServerProcess, http: aiohttp.ClientSession, openai_upstream: OpenAIUpstream
) -> None:
    headers = await told_route(http, openai_upstream)
    openai_upstream.hang(after_events=3)
    gate = openai_upstream.hold()
    openai_upstream._turns.popleft()  # the hang: only the gate is wanted
    body = {**CHAT, "stream": True}
    call_under_way = asyncio.create_task(
        http.post("/v1/chat/completions", json=body, headers=headers)
    )
    async with asyncio.timeout(10):
        await gate.reached.wait()
    stopping = asyncio.create_task(server.stop())
    await server.until(lambda: _refuses_connections(server.port), bool)
    gate.open()
    response = await call_under_way
    text = await response.text()
    assert without_comments(text).endswith("data: [DONE]\n\n")
    assert await stopping == 0

    await server.start()
    async with aiohttp.ClientSession(server.url) as again:
        (entry,) = (await call(again, "GET", "/api/ledger"))["data"]
    assert entry["outcome"] == "succeeded"
    assert entry["request_id"] == response.headers["x-request-id"]


async def _refuses_connections(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return True
    writer.close()
    return False


async def test_after_a_kill_the_next_start_finds_everything_written(
    server: ServerProcess, http: aiohttp.ClientSession, openai_upstream: OpenAIUpstream
) -> None:
    headers = await told_route(http, openai_upstream)
    async with http.post("/v1/chat/completions", json=CHAT, headers=headers) as response:
        assert response.status == 200

    async def entries() -> Any:
        return (await call(http, "GET", "/api/ledger"))["data"]

    written = await server.until(entries, bool)
    assert await server.stop(signal.SIGKILL) == -signal.SIGKILL
    await server.start()
    async with aiohttp.ClientSession(server.url) as again:
        assert (await call(again, "GET", "/api/ledger"))["data"] == written
        async with again.post("/v1/chat/completions", json=CHAT, headers=headers) as response:
            assert response.status == 200


async def test_the_encryption_key_is_made_once_and_is_private(server: ServerProcess) -> None:
    path = server.folder / ".langroute" / "encryption.key"
    assert path.stat().st_mode & 0o777 == 0o600
    settings = load_settings(data_dir=server.folder / ".langroute")
    assert encryption_keys(settings) == [bytes.fromhex(path.read_text().strip())]


@pytest.mark.parametrize(
    ("arguments", "environment", "named"),
    [
        (("--port", "0"), {"ENCRYPTION_KEY": "secret-but-wrong"}, "ENCRYPTION_KEY"),
        (("--port", "0", "--host", "0.0.0.0"), {}, "LANGROUTE_ADMIN_KEY"),
        (("--port", "0", "--host", "0.0.0.0", "--dev"), {}, "LANGROUTE_HOST"),
        (("--port", "0"), {"LANGROUTE_TOTAL_TIMEOUT_S": "-1"}, "LANGROUTE_TOTAL_TIMEOUT_S"),
        (("--port", "0"), {"DATABASE_URL": "mysql://user:hidden@x/y"}, "DATABASE_URL"),
        (("--port", "0"), {"DATABASE_URL": "postgresql://u:hidden@x/y"}, "ENCRYPTION_KEY"),
    ],
)
async def test_a_wrong_setting_is_refused_by_its_name_and_never_shown(
    langroute: Any, arguments: tuple[str, ...], environment: dict[str, str], named: str
) -> None:
    done = await langroute("serve", *arguments, **environment)
    assert done.returncode == 2
    assert named in done.stderr
    assert "secret-but-wrong" not in done.stderr
    assert "hidden" not in done.stderr


async def test_a_port_that_is_taken_is_told(langroute: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = await langroute("serve", "--port", str(port))
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr
    assert "Traceback" not in done.stderr
