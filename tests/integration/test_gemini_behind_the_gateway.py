"""Google's models for those who speak OpenAI's format, told by OpenAI's own client."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI

from gateway_fixtures import RunningGateway, running_gateway
from upstreams.gemini import GeminiUpstream
from upstreams.turn import Turn

SECRET = "the-gemini-secret"
MODEL = "google-test"
HELLO: Any = {"role": "user", "content": "Hello there"}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
CALLS = [
    {
        "id": call_id,
        "type": "function",
        "function": {"name": "weather", "arguments": f'{{"city":"{city}"}}'},
    }
    for call_id, city in (("one", "Paris"), ("two", "Rome"))
]


@pytest.fixture
async def google() -> AsyncIterator[GeminiUpstream]:
    async with GeminiUpstream(credential=SECRET) as google:
        yield google


@pytest.fixture
async def running(database_url: str, google: GeminiUpstream) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database_url) as running:
        for path, body in (
            ("/api/providers/google", {"kind": "gemini", "base_url": google.base_url}),
            (
                f"/api/routes/{MODEL}",
                {"targets": [{"provider": "google", "model": "gemini-3.8-flash"}]},
            ),
        ):
            defined = await running.call("PUT", path, body)
            assert defined.status == 200, defined
        yield running


@pytest.fixture
async def client(running: RunningGateway) -> AsyncIterator[Any]:
    """Untyped: the tests send what its types would not let through."""
    made = (await running.call("POST", "/api/keys", {})).body
    path = f"/api/keys/{made['id']}/credentials/google"
    saved = await running.call("PUT", path, {"secret": SECRET})
    assert saved.status < 300, saved
    async with AsyncOpenAI(
        base_url=f"{running.url}/v1", api_key=made["virtual_key"], max_retries=0
    ) as client:
        yield client


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_calls_are_made_answered_and_signed(
    client: Any, google: GeminiUpstream, stream: bool
) -> None:
    google.will(Turn(tool_calls=CALLS, reasoning="Where?"))
    ask = {"model": MODEL, "messages": [HELLO], "tools": [WEATHER], "tool_choice": "required"}
    if stream:
        async with client.chat.completions.stream(**ask) as events:
            completion = await events.get_final_completion()
    else:
        completion = await client.chat.completions.create(**ask)
    message = completion.choices[0].message
    assert completion.choices[0].finish_reason == "tool_calls"
    assert message.reasoning_content == "Where?"
    assert [call.function.arguments for call in message.tool_calls] == [
        '{"city":"Paris"}',
        '{"city":"Rome"}',
    ]
    results = [
        {"role": "tool", "tool_call_id": call.id, "content": "Sunny"} for call in message.tool_calls
    ]
    said = message.model_dump(exclude_none=True, exclude={"parsed", "reasoning_content"})
    completion = await client.chat.completions.create(
        model=MODEL, messages=[HELLO, said, *results], tools=[WEATHER]
    )
    assert completion.choices[0].finish_reason == "stop"
    parts = google.seen[1].body["contents"][1]["parts"]
    assert [part["functionCall"]["id"] for part in parts] == ["one", "two"]
    assert [part.get("thoughtSignature") for part in parts] == ["c2lnbmVk", None]


@pytest.mark.shows("Responses", provider="gemini")
async def test_responses_and_their_tools_are_answered_by_google(
    client: Any, google: GeminiUpstream
) -> None:
    google.will(Turn(tool_calls=CALLS[:1]))
    tool = {"type": "function", "name": "weather", "parameters": {"type": "object"}}
    ask = {"model": MODEL, "tools": [tool], "store": False}
    response = await client.responses.create(input="Hello there", **ask)
    (call,) = [item for item in response.output if item.type == "function_call"]
    assert call.arguments == '{"city":"Paris"}'
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny"}
    history = [HELLO, *(item.model_dump(exclude_none=True) for item in response.output), result]
    response = await client.responses.create(input=history, **ask)
    assert response.status == "completed"
    assert google.seen[1].body["contents"][1]["parts"][0]["thoughtSignature"]


@pytest.mark.shows("Messages", provider="gemini")
async def test_anthropics_messages_and_their_tools_are_answered_by_google(
    client: Any, running: RunningGateway, google: GeminiUpstream
) -> None:
    google.will(Turn(text=None, tool_calls=CALLS, reasoning="Where?"))
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    ask: Any = {
        "model": MODEL,
        "max_tokens": 100,
        "tools": [{"name": "weather", "input_schema": schema}],
    }
    async with AsyncAnthropic(
        base_url=running.url, api_key=client.api_key, max_retries=0
    ) as messages:
        async with messages.messages.stream(messages=[HELLO], **ask) as stream:
            message = await stream.get_final_message()
        uses = [block for block in message.content if block.type == "tool_use"]
        assert [use.input for use in uses] == [{"city": "Paris"}, {"city": "Rome"}]
        assert message.stop_reason == "tool_use"
        results = [
            {"type": "tool_result", "tool_use_id": use.id, "content": "Sunny"} for use in uses
        ]
        history: Any = [
            HELLO,
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [*results, {"type": "text", "text": "So?"}]},
        ]
        message = await messages.messages.create(messages=history, **ask)
    assert message.stop_reason == "end_turn"
    assert google.seen[1].body["generationConfig"]["maxOutputTokens"] == 100


async def test_a_stream_tells_usage_once_and_the_ledger_has_it(
    client: Any, running: RunningGateway, google: GeminiUpstream
) -> None:
    stream = await client.chat.completions.create(
        model=MODEL, messages=[HELLO], stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "You said: Hello there"
    (usage,) = [chunk.usage for chunk in chunks if chunk.usage]
    told = google.seen[0].usage
    assert told is not None
    assert usage.total_tokens == told["totalTokenCount"]
    (entry,) = await running.entries()
    assert entry["outcome"] == "succeeded"


async def test_a_bad_key_and_a_bad_request_are_told_apart(
    client: Any, running: RunningGateway, google: GeminiUpstream
) -> None:
    with pytest.raises(openai.BadRequestError, match="unheard"):
        await client.chat.completions.create(
            model=MODEL, messages=[HELLO], extra_body={"unheard": 1}
        )
    google.credential = "another"
    with pytest.raises(openai.APIStatusError) as caught:
        await client.chat.completions.create(model=MODEL, messages=[HELLO])
    assert caught.value.status_code >= 500, "the caller's own key is a good one"
