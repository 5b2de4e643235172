"""LangChain's chat models for OpenAI, with no more than a base URL, a key and a model."""

from typing import Any

import openai
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
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel, SecretStr

from gateway_fixtures import Scene

pytestmark = pytest.mark.usefixtures("loopback_only")


class City(BaseModel):
    """Where something is."""

    name: str
    country: str


@tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


def client_of(scene: Scene, model: str = "gpt-4o-mini", **more: Any) -> ChatOpenAI:
    settings = {"api_key": scene.key, "max_retries": 0, **more}
    return ChatOpenAI(base_url=f"{scene.running.url}/v1", model=model, **settings)


@pytest.mark.shows("chat", client="LangChain")
@OF_EACH_PROVIDER
async def test_chats(scene: Scene, model: str) -> None:
    answer = await client_of(scene, model).ainvoke(HELLO)
    assert answer.content == SAID
    assert answer.usage_metadata is not None
    assert answer.usage_metadata["total_tokens"] > 0
    assert answer.response_metadata["finish_reason"] == "stop"


@pytest.mark.shows("stream", "usage in streams", client="LangChain")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("asks", [True, False], ids=["with usage", "without usage"])
async def test_streams(scene: Scene, model: str, asks: bool) -> None:
    client = client_of(scene, model, stream_usage=asks)
    chunks = [chunk async for chunk in client.astream(HELLO)]
    assert len(chunks) > 3
    assert "".join(str(chunk.content) for chunk in chunks) == SAID
    assert sum(chunk.usage_metadata is not None for chunk in chunks) == asks


@pytest.mark.shows("tools", "tools in streams", client="LangChain")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
async def test_a_tool_is_called_and_its_result_answered(
    scene: Scene, model: str, streams: bool
) -> None:
    double = will_call_weather(scene, model)
    client = client_of(scene, model, streaming=streams).bind_tools([weather])
    messages: list[Any] = [("user", HELLO)]
    called = await client.ainvoke(messages)
    (call,) = called.tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Paris"})
    answer = await client.ainvoke([*messages, called, await weather.ainvoke(call)])
    assert answer.content == "It is sunny in Paris."
    assert tool_results(double) == ["Sunny in Paris"]


@pytest.mark.shows("JSON schema", client="LangChain")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("method", ["json_schema", "json_mode", "function_calling"])
async def test_an_object_is_read_from_the_answer(scene: Scene, model: str, method: Any) -> None:
    double = double_of(scene, model)
    answer = '{"name": "Paris", "country": "France"}'
    if method == "function_calling":
        function = {"name": "City", "arguments": answer}
        double.say("", tool_calls=[{"id": "abcdefghi", "type": "function", "function": function}])
    else:
        double.say(answer)
    reader = client_of(scene, model).with_structured_output(City, method=method)
    assert await reader.ainvoke("Where is Paris? Answer in JSON.") == City(
        name="Paris", country="France"
    )
    if method == "json_schema":
        assert double.seen[0].body["response_format"]["type"] == "json_schema"


@pytest.mark.shows("embeddings", client="LangChain")
@FROM_EACH_PROVIDER
async def test_texts_are_embedded(scene: Scene, provider: str) -> None:
    # As its page says for servers other than OpenAI's: it would send token numbers, otherwise, and
    # download a table to make them.
    client = OpenAIEmbeddings(
        base_url=f"{scene.running.url}/v1",
        api_key=SecretStr(scene.key),
        model=await embedding_model(scene, provider),
        check_embedding_ctx_length=False,
    )
    assert await client.aembed_documents(["one", "two"]) == VECTORS
    await client.async_client._client.close()


@pytest.mark.shows("typed errors", "waits told", client="LangChain")
async def test_errors_are_typed(scene: Scene) -> None:
    with pytest.raises(openai.AuthenticationError):
        await client_of(scene, api_key="invalid").ainvoke(HELLO)
    with pytest.raises(openai.BadRequestError):
        await client_of(scene, "no-such-model").ainvoke(HELLO)
    with pytest.raises(openai.RateLimitError) as limited:
        await client_of(scene, api_key=await limited_key(scene)).ainvoke(HELLO)
    assert waits_about_a_minute(limited.value.response.headers)
    both_fail(scene)
    with pytest.raises(openai.InternalServerError):
        await client_of(scene).ainvoke(HELLO)


async def test_a_full_context_is_told_as_such(scene: Scene) -> None:
    message = "This model's maximum context length is 128000 tokens."
    scene.openai.fail(status=400, message=message, code="context_length_exceeded", param="messages")
    with pytest.raises(openai.BadRequestError, match="maximum context length"):
        await client_of(scene).ainvoke(HELLO)


@pytest.mark.shows("leaving", client="LangChain")
async def test_leaving_a_stream_stops_the_provider_and_settles_once(scene: Scene) -> None:
    scene.openai.hang(after_events=2)
    stream: Any = client_of(scene).astream(HELLO)
    await anext(stream)
    await stream.aclose()
    await assert_settled_once(scene)
