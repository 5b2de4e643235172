"""What each kind of provider can be asked for in OpenAI's chat format, seen against our doubles."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from compatibility import PAGE, rendered, seen
from one_provider import (
    BOTH_CITIES,
    SECRET,
    WEATHER,
    Asked,
    asked,
    assert_both_are_answered,
    calls_of,
    text_of,
    whole_calls,
)
from postgres_fixtures import Databases
from upstreams.anthropic import AnthropicUpstream
from upstreams.double import UpstreamDouble
from upstreams.gemini import GeminiUpstream
from upstreams.mistral import MistralUpstream
from upstreams.openai import OpenAIUpstream
from upstreams.operations import DIMENSIONS, vector
from upstreams.turn import Turn

DOUBLES: dict[str, type[UpstreamDouble]] = {
    "openai": OpenAIUpstream,
    "anthropic": AnthropicUpstream,
    "gemini": GeminiUpstream,
    "mistral": MistralUpstream,
}
CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9"
    "awAAAABJRU5ErkJggg=="
)
PARIS = {"name": "weather", "arguments": '{"city": "Paris"}'}
ROME = {"name": "weather", "arguments": '{"city": "Rome"}'}
CALLS = [
    {"id": call_id, "type": "function", "function": function}
    for call_id, function in (("abcdefghi", PARIS), ("jklmnopqr", ROME))
]


@pytest.fixture(params=DOUBLES)
async def double(request: pytest.FixtureRequest) -> AsyncIterator[UpstreamDouble]:
    async with DOUBLES[request.param](credential=SECRET) as double:
        yield double


@pytest.fixture
async def ours(double: UpstreamDouble, databases: Databases) -> AsyncIterator[Asked]:
    async with asked(databases, str(double.kind), double.base_url) as ours:
        yield ours


@pytest.mark.shows("chat", "stream", "usage in streams")
async def test_chats_and_streams(ours: Asked, double: UpstreamDouble) -> None:
    double.say("Some words to say.", times=2)
    whole = await ours.chat()
    assert whole.status == 200, whole
    assert whole.body["choices"][0]["message"]["content"] == "Some words to say."
    chunks = await ours.streamed(stream_options={"include_usage": True})
    assert text_of(chunks) == "Some words to say."
    assert len(chunks) > 3
    assert chunks[-1]["usage"]["total_tokens"] == whole.body["usage"]["total_tokens"] > 0


@pytest.mark.shows("tools", "tools in streams", "parallel tools")
async def test_calls_tools(ours: Asked, double: UpstreamDouble) -> None:
    double.will(Turn(tool_calls=CALLS), times=2)
    double.say("Sunny in both.")
    whole = await ours.chat(tools=[WEATHER])
    message = whole.body["choices"][0]["message"]
    assert whole.body["choices"][0]["finish_reason"] == "tool_calls"
    assert whole_calls(message) == BOTH_CITIES
    assert calls_of(await ours.streamed(tools=[WEATHER])) == BOTH_CITIES
    await assert_both_are_answered(ours, message)


@pytest.mark.shows("JSON schema")
async def test_is_asked_for_an_object(ours: Asked, double: UpstreamDouble) -> None:
    double.say('{"name": "Paris"}')
    asks = {"name": "city", "schema": CITY, "strict": True}
    answered = await ours.chat(response_format={"type": "json_schema", "json_schema": asks})
    assert answered.status == 200, answered
    assert "x-langroute-dropped" not in answered.headers
    assert json.loads(answered.body["choices"][0]["message"]["content"]) == {"name": "Paris"}
    assert '"name"' in json.dumps(double.seen[0].body)


@pytest.mark.shows("vision")
async def test_is_shown_a_picture(ours: Asked, double: UpstreamDouble) -> None:
    double.say("A pixel.")
    picture = {"type": "image_url", "image_url": {"url": PIXEL}}
    content = [{"type": "text", "text": "What is this?"}, picture]
    answered = await ours.chat(messages=[{"role": "user", "content": content}])
    assert answered.status == 200, answered
    assert answered.body["choices"][0]["message"]["content"] == "A pixel."
    assert PIXEL.split(",")[1] in json.dumps(double.seen[0].body)


@pytest.mark.shows("reasoning")
async def test_tells_its_reasoning(ours: Asked, double: UpstreamDouble) -> None:
    double.will(Turn(text="Yes.", reasoning="I think so."), times=2)
    whole = await ours.chat(reasoning_effort="low")
    assert whole.body["choices"][0]["message"]["reasoning_content"] == "I think so."
    chunks = await ours.streamed(reasoning_effort="low")
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert "".join(delta.get("reasoning_content") or "" for delta in deltas) == "I think so."
    assert text_of(chunks) == "Yes."


@pytest.mark.shows("typed errors", "waits told")
async def test_fails_in_its_own_words(ours: Asked, double: UpstreamDouble) -> None:
    double.fail(status=400, message="Too long.")
    refused = await ours.chat()
    assert (refused.status, refused.body["error"]["message"]) == (400, "Too long.")
    double.fail(status=429, headers={"retry-after": "7"}, times=9)
    limited = await ours.chat()
    assert (limited.status, limited.body["error"]["code"]) == (429, "rate_limit_exceeded")
    assert limited.headers["retry-after"] == "7"


@pytest.mark.shows("broken streams")
async def test_breaks_off(ours: Asked, double: UpstreamDouble) -> None:
    double.cut(after_events=3)
    double.break_off(after_events=3)
    for _ in range(2):
        *_, last = await ours.streamed()
        assert last["error"]["type"] == "server_error"


@pytest.mark.shows("embeddings")
@pytest.mark.parametrize("double", ["openai", "gemini", "mistral"], indirect=True)
async def test_embeds(ours: Asked) -> None:
    body = {"model": "some-model", "input": ["one", "two"]}
    answered = await ours.running.call("POST", "/v1/embeddings", body, key=ours.key)
    assert answered.status == 200, answered
    vectors = [vector(text, DIMENSIONS) for text in ("one", "two")]
    assert [item["embedding"] for item in answered.body["data"]] == vectors
    assert answered.body["usage"]["prompt_tokens"] == 2


@pytest.mark.shows("text completions")
@pytest.mark.parametrize("double", ["anthropic", "gemini", "mistral"], indirect=True)
async def test_completes_a_text(ours: Asked, double: UpstreamDouble) -> None:
    double.say("a time.")
    body = {"model": "some-model", "prompt": "Once upon", "max_tokens": 9}
    answered = await ours.running.call("POST", "/v1/completions", body, key=ours.key)
    assert answered.status == 200, answered
    assert answered.body["choices"][0]["text"] == "a time."
    assert "Once upon" in json.dumps(double.seen[0].body)


def test_the_page_is_what_was_seen() -> None:
    assert PAGE.read_text() == rendered(seen())
