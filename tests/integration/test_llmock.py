"""Providers as llmock plays them, whose authors never saw this project: a second opinion on what
they send, and on how they fail."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from llmock.scenarios import Fail, Reply, StreamFault, ToolCall
from llmock.testing import LLMockServer

from one_provider import Asked, asked, assert_calls_tools, assert_says
from postgres_fixtures import Databases

# Where llmock speaks as which of our kinds.
LLMOCKS = {
    "openai": "/v1",
    "anthropic": "/anthropic/v1",
    "gemini": "/gemini/v1beta",
    "mistral": "/mistral/v1",
    "groq": "/groq/openai/v1",
    "together": "/together/v1",
    "perplexity": "/perplexity/v1",
    "xai": "/xai/v1",
}


@pytest.fixture(scope="module")
def llmock_server() -> Iterator[LLMockServer]:
    with LLMockServer() as server:
        yield server


@pytest.fixture
def llmock(llmock_server: LLMockServer) -> LLMockServer:
    llmock_server.state.reset()
    return llmock_server


@pytest.fixture(params=LLMOCKS)
async def theirs(
    request: pytest.FixtureRequest, llmock: LLMockServer, databases: Databases
) -> AsyncIterator[Asked]:
    url = f"{llmock.url}{LLMOCKS[request.param]}"
    async with asked(databases, request.param, url) as theirs:
        yield theirs


@pytest.mark.shows("chat", "stream")
async def test_llmock_chats_and_streams(theirs: Asked, llmock: LLMockServer) -> None:
    llmock.state.scenarios.add(Reply(text="Some words to say.", times=2))
    await assert_says(theirs, "Some words to say.")


@pytest.mark.shows("usage in streams")
@pytest.mark.parametrize("theirs", [kind for kind in LLMOCKS if kind != "mistral"], indirect=True)
async def test_llmock_tells_usage_in_streams(theirs: Asked) -> None:
    """But not as Mistral, whose usage comes unasked: there, too, it wants to be asked."""
    chunks = await theirs.streamed(stream_options={"include_usage": True})
    assert chunks[-1]["usage"]["total_tokens"] > 0


@pytest.mark.shows("tools", "tools in streams", "parallel tools")
async def test_llmock_calls_tools(theirs: Asked, llmock: LLMockServer) -> None:
    calls = tuple(ToolCall("weather", {"city": city}) for city in ("Paris", "Rome"))
    llmock.state.scenarios.add(Reply(tool_calls=calls, times=2), Reply(text="Sunny in both."))
    await assert_calls_tools(theirs)


@pytest.mark.shows("typed errors", "waits told")
async def test_llmock_fails(theirs: Asked, llmock: LLMockServer) -> None:
    for status, shown in ((400, 400), (401, 502), (503, 503)):
        llmock.state.scenarios.clear()
        llmock.state.scenarios.add(Fail(status, times=None))
        answered = await theirs.chat()
        assert answered.status == shown, answered
    llmock.state.scenarios.clear()
    llmock.state.scenarios.add(Fail(429, retry_after=7, times=None))
    limited = await theirs.chat()
    assert (limited.status, limited.headers["retry-after"]) == (429, "7")


@pytest.mark.parametrize("fault", ["disconnect", "truncate", "malformed"])
@pytest.mark.shows("broken streams")
async def test_llmock_breaks_off(theirs: Asked, llmock: LLMockServer, fault: Any) -> None:
    llmock.state.scenarios.add(
        Reply(text="One two three four five six."), StreamFault(fault, after_chunks=3)
    )
    *_, last = await theirs.streamed()
    assert last["error"]["type"] == "server_error"
