"""The official client libraries, unmodified, pointed at the gateway."""

import asyncio
from typing import Any

import openai
import pytest
from mistralai.client import Mistral
from openai import AsyncOpenAI

from gateway_fixtures import Scene

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
CALL = {
    "id": "call_abc123",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
}
HELLO = {"role": "user", "content": "Hello there"}


def client_of(scene: Scene, key: str | None = None, *, retries: int = 0) -> Any:
    """Untyped: the tests are of what it does, and send what its types would not let through."""
    return AsyncOpenAI(
        base_url=f"{scene.running.url}/v1", api_key=key or scene.key, max_retries=retries
    )


@pytest.mark.shows("chat", client="OpenAI (Python)")
@pytest.mark.parametrize("model", ["gpt-4o-mini", "mistral-small-latest"])
async def test_openais_client_chats_with_every_provider(scene: Scene, model: str) -> None:
    async with client_of(scene) as client:
        completion = await client.chat.completions.create(model=model, messages=[HELLO])
    assert completion.choices[0].message.content == "You said: Hello there"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens > 0


@pytest.mark.shows("stream", "usage in streams", client="OpenAI (Python)")
@pytest.mark.parametrize("model", ["gpt-4o-mini", "mistral-small-latest"])
async def test_openais_client_streams_from_every_provider(scene: Scene, model: str) -> None:
    async with client_of(scene) as client:
        stream = await client.chat.completions.create(
            model=model,
            messages=[HELLO],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = [chunk async for chunk in stream]
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "You said: Hello there"
    assert len({chunk.id for chunk in chunks}) == 1
    usages = [chunk.usage for chunk in chunks if chunk.usage]
    assert len(usages) == 1


@pytest.mark.shows("tools", "tools in streams", client="OpenAI (Python)")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", ["gpt-4o-mini", "mistral-small-latest"])
async def test_tools_are_called_and_answered(scene: Scene, model: str, stream: bool) -> None:
    upstream = scene.openai if model.startswith("gpt") else scene.mistral
    call = CALL if upstream is scene.openai else {**CALL, "id": "abcdefghi"}
    upstream.say("", tool_calls=[call])
    async with client_of(scene) as client:
        ask = {"model": model, "messages": [HELLO], "tools": [WEATHER], "tool_choice": "required"}
        if stream:
            async with client.chat.completions.stream(**ask) as events:
                completion = await events.get_final_completion()
        else:
            completion = await client.chat.completions.create(**ask)
        message = completion.choices[0].message
        assert completion.choices[0].finish_reason == "tool_calls"
        (called,) = message.tool_calls
        assert called.function.name == "weather"
        assert called.function.arguments == '{"city": "Paris"}'

        result = {"role": "tool", "tool_call_id": called.id, "content": "Sunny"}
        said = {"role": "assistant", "tool_calls": [CALL | {"id": called.id}]}
        completion = await client.chat.completions.create(
            model=model,
            messages=[HELLO, said, result],
            tools=[WEATHER],
        )
    assert completion.choices[0].message.content == "You said: Hello there"


@pytest.mark.shows("typed errors", client="OpenAI (Python)")
@pytest.mark.parametrize(
    ("key", "error", "code"),
    [
        ("invalid", openai.AuthenticationError, "invalid_api_key"),
        (None, openai.BadRequestError, "model_not_found"),
    ],
)
async def test_errors_are_typed(
    scene: Scene, key: str | None, error: type[openai.APIStatusError], code: str
) -> None:
    async with client_of(scene, key) as client:
        with pytest.raises(error) as caught:
            await client.chat.completions.create(model="none", messages=[HELLO])
    assert caught.value.code == code
    assert caught.value.request_id


async def test_a_failing_provider_is_an_error_that_the_client_understands(scene: Scene) -> None:
    scene.openai.fail(status=500)
    scene.mistral.fail(status=503)
    async with client_of(scene) as client:
        with pytest.raises(openai.InternalServerError) as caught:
            await client.chat.completions.create(model="gpt-4o-mini", messages=[HELLO])
    assert caught.value.status_code == 503


@pytest.mark.shows("waits told", client="OpenAI (Python)")
async def test_a_limited_client_waits_as_long_as_it_is_told_and_no_longer(scene: Scene) -> None:
    key = await scene.running.new_key(requests_per_minute=0)
    async with client_of(scene, key) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await client.chat.completions.create(model="gpt-4o-mini", messages=[HELLO])
    assert caught.value.type == "requests"
    assert caught.value.response.headers["x-should-retry"] == "false"


async def test_a_client_does_not_hammer_on_where_trying_again_cannot_help(scene: Scene) -> None:
    scene.openai.fail(status=401, times=5)
    scene.mistral.fail(status=401, times=5)
    async with client_of(scene, retries=3) as client:
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(model="gpt-4o-mini", messages=[HELLO])
    assert len(scene.openai.seen) == 1


@pytest.mark.shows("broken streams", client="OpenAI (Python)")
async def test_a_stream_that_breaks_off_raises(scene: Scene) -> None:
    scene.openai.cut(after_events=3)
    async with client_of(scene) as client:
        stream = await client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[HELLO],
            stream=True,
        )
        with pytest.raises(openai.APIError):
            async for _ in stream:
                pass


@pytest.mark.shows("leaving", client="OpenAI (Python)")
async def test_leaving_a_stream_stops_the_provider(scene: Scene) -> None:
    scene.openai.hang(after_events=2)
    async with client_of(scene) as client:
        stream = await client.chat.completions.create(
            model="gpt-4o-mini",
            messages=[HELLO],
            stream=True,
        )
        await anext(aiter(stream))
        await stream.close()
    await scene.openai.seen[0].wait_for_hang_up()


@pytest.mark.shows("models", client="OpenAI (Python)")
async def test_models_are_listed(scene: Scene) -> None:
    async with client_of(scene) as client:
        models = {model.id async for model in client.models.list()}
        one = await client.models.retrieve("gpt-4o-mini")
    assert {"gpt-3.5-turbo", "gpt-4o-mini", "mistral-small-latest"} <= models
    assert one.owned_by == "openai"


@pytest.mark.shows("chat", client="Mistral (Python)", provider="mistral")
@pytest.mark.shows("stream", client="Mistral (Python)", provider="openai")
async def test_mistrals_client_chats_and_streams(scene: Scene) -> None:
    mistral: Any = Mistral(server_url=scene.running.url, api_key=scene.key)
    async with mistral as client:
        messages = [{"role": "user", "content": "Hello there"}]
        completion = await client.chat.complete_async(
            model="mistral-small-latest",
            messages=messages,
        )
        assert completion.choices[0].message is not None
        assert completion.choices[0].message.content == "You said: Hello there"
        stream = await client.chat.stream_async(
            model="gpt-4o-mini",
            messages=messages,
        )
        text = ""
        async for event in stream:
            for choice in event.data.choices:
                text += str(choice.delta.content or "")
    assert text == "You said: Hello there"


async def test_many_clients_at_once_get_their_own_answers(scene: Scene) -> None:
    key = await scene.running.new_key(requests_per_minute=None, tokens_per_minute=None)
    await scene.running.call(
        "POST", "/api/save-keys", {"virtualKey": key, "openaiKey": scene.openai.credential}
    )

    async def ask(number: int) -> bool:
        completion = await client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": f"number {number}"}]
        )
        return bool(completion.choices[0].message.content == f"You said: number {number}")

    async with client_of(scene, key) as client:
        assert all(await asyncio.gather(*(ask(number) for number in range(50))))
