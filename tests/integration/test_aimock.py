"""Providers as aimock plays them: a third opinion, whose authors never saw the other two."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from javascript import LOOPBACK_NODE, installed
from one_provider import Asked, asked, assert_calls_tools, assert_says
from postgres_fixtures import Databases

_FOLDER = Path(__file__).parent / "aimock"
_PROGRAM = "node_modules/@copilotkit/aimock/dist/cli.js"
# Where aimock speaks as which of our kinds.
AIMOCKS = {
    "openai": "/v1",
    "anthropic": "/v1",
    "gemini": "/v1beta",
    "azure": "",
    "openrouter": "/api/v1",
}
# Under every name that one of them has for it; aimock counts no tokens by itself for some of them.
USAGE = {
    **dict.fromkeys(("prompt_tokens", "input_tokens", "promptTokenCount"), 5),
    **dict.fromkeys(("completion_tokens", "output_tokens", "candidatesTokenCount"), 7),
}
CALLS = [{"name": "weather", "arguments": {"city": city}} for city in ("Paris", "Rome")]


@dataclass(frozen=True, slots=True)
class Aimock:
    url: str
    http: aiohttp.ClientSession

    async def will(self, response: Mapping[str, Any], **fixture: Any) -> None:
        """Answer so from now on. `match` says to which requests; all, without it."""
        fixture = {"match": {}, **fixture, "response": response}
        await self._tell("POST", "fixtures", {"fixtures": [fixture]})

    async def forget(self) -> None:
        await self._tell("POST", "reset")

    async def _tell(self, method: str, path: str, body: Any = None) -> None:
        async with self.http.request(method, f"{self.url}/__aimock/{path}", json=body) as told:
            assert told.status == 200, await told.text()


@asynccontextmanager
async def running_aimock(folder: Path) -> AsyncIterator[Aimock]:
    (folder / "fixtures").mkdir(exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *LOOPBACK_NODE,
        *(_PROGRAM, "--port", "0", "--fixtures", "fixtures"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with aiohttp.ClientSession() as http:
            yield Aimock(await _address(process), http)
    finally:
        process.terminate()
        await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        async for line in process.stdout:
            if told := re.search(r"listening on (\S+)", line.decode()):
                return told[1]
    raise AssertionError("aimock did not start")


@pytest.fixture(scope="module")
async def aimock_server(pytestconfig: pytest.Config) -> AsyncIterator[Aimock]:
    async with running_aimock(await installed(pytestconfig, _FOLDER)) as aimock:
        yield aimock


@pytest.fixture
async def aimock(aimock_server: Aimock) -> Aimock:
    await aimock_server.forget()
    return aimock_server


@pytest.fixture(params=AIMOCKS)
async def at_aimock(
    request: pytest.FixtureRequest, aimock: Aimock, databases: Databases
) -> AsyncIterator[Asked]:
    async with asked(databases, request.param, aimock.url + AIMOCKS[request.param]) as at_aimock:
        yield at_aimock


@pytest.mark.shows("chat", "stream")
async def test_aimock_chats_and_streams(at_aimock: Asked, aimock: Aimock) -> None:
    await aimock.will({"content": "Some words to say.", "usage": USAGE}, chunkSize=5)
    await assert_says(at_aimock, "Some words to say.")


@pytest.mark.shows("usage in streams")
async def test_aimock_tells_usage_in_streams(at_aimock: Asked, aimock: Aimock) -> None:
    await aimock.will({"content": "Some words to say.", "usage": USAGE})
    chunks = await at_aimock.streamed(stream_options={"include_usage": True})
    told = chunks[-1]["usage"]
    assert (told["prompt_tokens"], told["completion_tokens"], told["total_tokens"]) == (5, 7, 12)


@pytest.mark.shows("tools", "tools in streams", "parallel tools")
async def test_aimock_calls_tools(at_aimock: Asked, aimock: Aimock) -> None:
    await aimock.will({"toolCalls": CALLS}, match={"hasToolResult": False})
    await aimock.will({"content": "Sunny in both."}, match={"hasToolResult": True})
    await assert_calls_tools(at_aimock)


@pytest.mark.shows("reasoning")
@pytest.mark.parametrize("at_aimock", ["anthropic", "gemini", "openrouter"], indirect=True)
async def test_aimock_tells_its_reasoning(at_aimock: Asked, aimock: Aimock) -> None:
    await aimock.will({"content": "So.", "reasoning": "Let me think."})
    message = (await at_aimock.chat()).body["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("Let me think.", "So.")


@pytest.mark.shows("typed errors", "waits told")
async def test_aimock_fails(at_aimock: Asked, aimock: Aimock) -> None:
    for status, kind, shown in (
        (400, "invalid_request_error", 400),
        (401, "authentication_error", 502),
        (500, "api_error", 502),
    ):
        await aimock.forget()
        error = {"message": "So it is.", "type": kind}
        await aimock.will({"error": error, "status": status})
        answered = await at_aimock.chat()
        assert answered.status == shown, answered
        assert "So it is." in answered.body["error"]["message"]
    await aimock.forget()
    error = {"message": "Slow down.", "type": "rate_limit_error"}
    await aimock.will({"error": error, "status": 429, "retryAfter": 7})
    answered = await at_aimock.chat()
    assert (answered.status, answered.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("fault", ["dropRate", "malformedRate", "disconnectRate"])
async def test_aimock_is_chaos(at_aimock: Asked, aimock: Aimock, fault: str) -> None:
    """Before it says a word, so that another could still answer: it is the provider's failure."""
    await aimock.will({"content": "Never said."}, chaos={fault: 1})
    for asks in ({}, {"stream": True}):
        answered = await at_aimock.chat(**asks)
        assert answered.status in {502, 503}, answered
        assert answered.body["error"]["type"] == "server_error"


@pytest.mark.shows("broken streams")
async def test_aimock_breaks_off(at_aimock: Asked, aimock: Aimock) -> None:
    faults = {"chunkSize": 4, "latency": 20, "truncateAfterChunks": 3}
    await aimock.will({"content": "One two three four five six."}, **faults)
    *_, last = await at_aimock.streamed()
    assert last["error"]["type"] == "server_error"
