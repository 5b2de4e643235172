"""Anthropic's models for those who speak OpenAI's format, told by OpenAI's own client."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from gateway_fixtures import Scene
from upstreams.anthropic import AnthropicUpstream
from upstreams.turn import Turn

SECRET = "sk-ant-the-anthropic-secret"
MODEL = "claude-sonnet-4-6"
STAND_IN = "gpt-5.4"
HELLO = {"role": "user", "content": "Hello there"}
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
    for call_id, city in (("toolu_1", "Paris"), ("toolu_2", "Rome"))
]


@pytest.fixture
async def claude(scene: Scene) -> AsyncIterator[AnthropicUpstream]:
    """In place of Anthropic itself, which a new gateway knows."""
    async with AnthropicUpstream(credential=SECRET) as claude:
        provider = {"kind": "anthropic", "base_url": claude.base_url}
        defined = await scene.running.call("PUT", "/api/providers/anthropic", provider)
        assert defined.status == 200, defined
        keys = (await scene.running.call("GET", "/api/keys")).body["data"]
        path = f"/api/keys/{keys[0]['id']}/credentials/anthropic"
        saved = await scene.running.call("PUT", path, {"secret": SECRET})
        assert saved.status == 200, saved
        yield claude


@pytest.fixture
async def client(scene: Scene, claude: AnthropicUpstream) -> AsyncIterator[Any]:
    """Untyped: the tests send what its types would not let through."""
    assert claude.base_url
    async with AsyncOpenAI(
        base_url=f"{scene.running.url}/v1", api_key=scene.key, max_retries=0
    ) as client:
        yield client


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_tools_are_called_and_answered_and_thoughts_are_kept(
    client: Any, claude: AnthropicUpstream, stream: bool
) -> None:
    claude.will(Turn(tool_calls=CALLS, reasoning="Where?"))
    ask = {"model": MODEL, "messages": [HELLO], "tools": [WEATHER], "reasoning_effort": "high"}
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
    said = message.model_dump(exclude_none=True, exclude={"parsed"})
    completion = await client.chat.completions.create(
        model=MODEL, messages=[HELLO, said, *results], tools=[WEATHER], reasoning_effort="high"
    )
    assert completion.choices[0].finish_reason == "stop"
    sent = claude.seen[1].body
    assert sent["output_config"] == {"effort": "high"}
    assert [block["type"] for block in sent["messages"][1]["content"]] == [
        *("thinking", "tool_use", "tool_use"),
    ]
    assert sent["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "Where?",
        "signature": "c2lnbmVk",
    }


async def test_a_stream_tells_usage_once_and_the_ledger_has_it(
    client: Any, scene: Scene, claude: AnthropicUpstream
) -> None:
    stream = await client.chat.completions.create(
        model=MODEL, messages=[HELLO], stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "You said: Hello there"
    (usage,) = [chunk.usage for chunk in chunks if chunk.usage]
    told = claude.seen[0].usage
    assert told is not None
    assert usage.completion_tokens == told["output_tokens"]
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "succeeded"
    assert float(entry["cost_usd"]) > 0


async def test_what_it_cannot_take_is_told(client: Any, claude: AnthropicUpstream) -> None:
    response = await client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[HELLO], seed=1, temperature=1.5
    )
    assert response.headers["x-langroute-dropped"] == "seed, temperature"
    assert claude.seen[0].body["temperature"] == 1


async def test_another_stands_in_where_it_has_too_much_to_do(
    client: Any, scene: Scene, claude: AnthropicUpstream
) -> None:
    claude.fail(status=529, message="Overloaded", times=3)
    completion = await client.chat.completions.create(model=MODEL, messages=[HELLO])
    assert completion.choices[0].message.content == "You said: Hello there"
    assert scene.openai.seen[0].body["model"] == STAND_IN


async def test_a_bad_key_and_a_bad_request_are_told_apart(
    client: Any, scene: Scene, claude: AnthropicUpstream
) -> None:
    with pytest.raises(openai.BadRequestError, match="unheard"):
        await client.chat.completions.create(
            model=MODEL, messages=[HELLO], extra_body={"unheard": 1}
        )
    claude.fail(status=400, message="prompt is too long: 208310 tokens > 200000 maximum")
    with pytest.raises(openai.BadRequestError) as too_long:
        await client.chat.completions.create(model=MODEL, messages=[HELLO])
    assert too_long.value.code == "context_length_exceeded"
    assert scene.openai.seen == [], "nobody else is asked"
    claude.credential = "another"
    scene.openai.fail(status=401)
    with pytest.raises(openai.APIStatusError) as caught:
        await client.chat.completions.create(model=MODEL, messages=[HELLO])
    assert caught.value.status_code >= 500, "the caller's own key is a good one"
