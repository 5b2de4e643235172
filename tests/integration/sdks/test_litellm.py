"""litellm's library as a client, under the names that it has for servers like this one."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import litellm
import pytest
from asked import (
    FROM_EACH_PROVIDER,
    HELLO,
    OF_EACH_PROVIDER,
    SAID,
    VECTORS,
    assert_settled_once,
    both_fail,
    double_of,
    embedding_model,
    limited_key,
    tool_results,
    waits_about_a_minute,
    will_call_weather,
)
from litellm import exceptions
from litellm.llms.custom_httpx.async_client_cleanup import close_litellm_async_clients

from gateway_fixtures import Scene

pytestmark = [
    pytest.mark.usefixtures("loopback_only"),
    # Of its own sign-in to GitHub, when that is first imported.
    pytest.mark.filterwarnings("ignore:.*using the `ReadOnly` qualifier:UserWarning"),
    # It looks through all attributes of a chunk.
    pytest.mark.filterwarnings(
        "ignore:Accessing the 'model_(computed_)?fields' attribute:DeprecationWarning"
    ),
]

ASKED = {"role": "user", "content": HELLO}
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CITY: dict[str, Any] = {
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "required": ["name"],
    "additionalProperties": False,
}


@pytest.fixture(scope="module", autouse=True)
async def closed() -> AsyncIterator[None]:
    """It keeps its connections for the whole process."""
    yield
    close: Any = close_litellm_async_clients
    await close()
    shared: Any = litellm.module_level_client
    shared.close()


whole_of: Any = litellm.stream_chunk_builder


async def ask(scene: Scene, model: str = "gpt-4o-mini", **more: Any) -> Any:
    """Untyped, as litellm's answers are."""
    settings = {"api_key": scene.key, "messages": [ASKED], "max_retries": 0, **more}
    return await litellm.acompletion(
        model=f"openai/{model}", api_base=f"{scene.running.url}/v1", **settings
    )


@pytest.mark.shows("chat", client="litellm")
@OF_EACH_PROVIDER
async def test_chats(scene: Scene, model: str) -> None:
    answer = await ask(scene, model)
    assert answer.choices[0].message.content == SAID
    assert answer.usage.total_tokens > 0


@pytest.mark.shows("stream", "usage in streams", client="litellm")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("asks", [True, False], ids=["with usage", "without usage"])
async def test_streams(scene: Scene, model: str, asks: bool) -> None:
    more = {"stream_options": {"include_usage": True}} if asks else {}
    chunks = [chunk async for chunk in await ask(scene, model, stream=True, **more)]
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == SAID
    assert any(getattr(chunk, "usage", None) for chunk in chunks) == asks


@pytest.mark.shows("tools", "tools in streams", client="litellm")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
async def test_a_tool_is_called_and_its_result_answered(
    scene: Scene, model: str, streams: bool
) -> None:
    double = will_call_weather(scene, model)
    answered = await ask(scene, model, tools=[WEATHER], stream=streams)
    called: Any = answered
    if streams:
        called = whole_of([chunk async for chunk in answered])
    message = called.choices[0].message
    (call,) = message.tool_calls
    assert (call.function.name, json.loads(call.function.arguments)) == (
        "weather",
        {"city": "Paris"},
    )
    result = {"role": "tool", "tool_call_id": call.id, "content": "Sunny in Paris"}
    messages = [ASKED, message.model_dump(exclude_none=True), result]
    answer = await ask(scene, model, tools=[WEATHER], messages=messages)
    assert answer.choices[0].message.content == "It is sunny in Paris."
    assert tool_results(double) == ["Sunny in Paris"]


@pytest.mark.shows("JSON schema", client="litellm")
@OF_EACH_PROVIDER
async def test_an_object_is_read_from_the_answer(scene: Scene, model: str) -> None:
    double = double_of(scene, model)
    double.say('{"name": "Paris"}')
    schema = {"name": "City", "schema": CITY, "strict": True}
    answer = await ask(scene, model, response_format={"type": "json_schema", "json_schema": schema})
    assert json.loads(answer.choices[0].message.content) == {"name": "Paris"}
    assert double.seen[0].body["response_format"]["json_schema"]["schema"] == CITY


@pytest.mark.shows("embeddings", client="litellm")
@FROM_EACH_PROVIDER
async def test_texts_are_embedded(scene: Scene, provider: str) -> None:
    embedded: Any = await litellm.aembedding(
        model=f"openai/{await embedding_model(scene, provider)}",
        input=["one", "two"],
        api_base=f"{scene.running.url}/v1",
        api_key=scene.key,
    )
    assert [item["embedding"] for item in embedded.data] == VECTORS


@pytest.mark.shows("models", client="litellm")
async def test_models_are_listed(scene: Scene) -> None:
    models = await asyncio.to_thread(
        litellm.get_valid_models,
        check_provider_endpoint=True,
        custom_llm_provider="openai",
        api_base=f"{scene.running.url}/v1",
        api_key=scene.key,
    )
    assert any("gpt-4o-mini" in model for model in models)
    assert any("mistral-small-latest" in model for model in models)


@pytest.mark.shows("typed errors", "waits told", client="litellm")
async def test_errors_are_typed(scene: Scene) -> None:
    with pytest.raises(exceptions.AuthenticationError):
        await ask(scene, api_key="invalid")
    with pytest.raises(exceptions.BadRequestError):
        await ask(scene, "no-such-model")
    with pytest.raises(exceptions.RateLimitError) as limited:
        await ask(scene, api_key=await limited_key(scene))
    told: Any = limited.value
    assert waits_about_a_minute(told.litellm_response_headers)
    both_fail(scene)
    with pytest.raises(exceptions.ServiceUnavailableError):
        await ask(scene)


@pytest.mark.shows("leaving", client="litellm")
async def test_leaving_a_stream_stops_the_provider_and_settles_once(scene: Scene) -> None:
    scene.openai.hang(after_events=2)
    stream = await ask(scene, stream=True)
    await anext(stream)
    await stream.aclose()
    await assert_settled_once(scene)
