"""Agents of Pydantic AI on OpenAI's chat format."""

from collections.abc import AsyncIterator
from typing import Any

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
    will_call_weather,
)
from pydantic import BaseModel
from pydantic_ai import Agent, Embedder, NativeOutput, PromptedOutput
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.exceptions import (
    ModelAuthenticationError,
    ModelHTTPError,
    ModelRateLimitError,
    ModelUnavailableError,
)
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from gateway_fixtures import Scene

pytestmark = pytest.mark.usefixtures("loopback_only")


class City(BaseModel):
    """Where something is."""

    name: str
    country: str


def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


@pytest.fixture
async def agent(scene: Scene) -> AsyncIterator[Any]:
    """Makes agents that speak to the gateway."""
    clients: list[Any] = []

    def agent(model: str = "gpt-4o-mini", key: str | None = None, **more: Any) -> Agent[None, Any]:
        provider = OpenAIProvider(base_url=f"{scene.running.url}/v1", api_key=key or scene.key)
        provider.client.max_retries = 0
        clients.append(provider.client)
        return Agent(OpenAIChatModel(model, provider=provider), **more)

    yield agent
    for client in clients:
        await client.close()


@pytest.mark.shows("chat", client="Pydantic AI")
@OF_EACH_PROVIDER
async def test_chats(agent: Any, model: str) -> None:
    run = await agent(model, instructions="Be brief.").run(HELLO)
    assert run.output == SAID
    usage: Any = run.usage
    assert usage.input_tokens > 0
    assert usage.output_tokens > 0


@pytest.mark.shows("stream", "usage in streams", client="Pydantic AI")
@OF_EACH_PROVIDER
async def test_streams_with_usage(agent: Any, model: str) -> None:
    async with agent(model).run_stream(HELLO) as run:
        pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
        usage: Any = run.usage
    assert len(pieces) > 1
    assert "".join(pieces) == SAID
    assert usage.output_tokens > 0


@pytest.mark.shows("tools", "tools in streams", client="Pydantic AI")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
async def test_a_tool_is_called_and_its_result_answered(
    scene: Scene, agent: Any, model: str, streams: bool
) -> None:
    double = will_call_weather(scene, model)
    asking = agent(model, tools=[weather])
    if streams:
        async with asking.run_stream(HELLO) as run:
            output = await run.get_output()
    else:
        output = (await asking.run(HELLO)).output
    assert output == "It is sunny in Paris."
    assert tool_results(double) == ["Sunny in Paris"]


@pytest.mark.shows("JSON schema", client="Pydantic AI")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("kind", [None, NativeOutput, PromptedOutput], ids=str)
async def test_an_object_is_read_from_the_answer(
    scene: Scene, agent: Any, model: str, kind: Any
) -> None:
    double = double_of(scene, model)
    answer = '{"name": "Paris", "country": "France"}'
    if kind is None:
        function = {"name": "final_result", "arguments": answer}
        double.say("", tool_calls=[{"id": "abcdefghi", "type": "function", "function": function}])
    else:
        double.say(answer)
    output_type = City if kind is None else kind(City)
    run = await agent(model, output_type=output_type).run("Where is Paris?")
    assert run.output == City(name="Paris", country="France")
    if kind is NativeOutput:
        assert double.seen[0].body["response_format"]["type"] == "json_schema"


@pytest.mark.shows("embeddings", client="Pydantic AI")
@FROM_EACH_PROVIDER
async def test_texts_are_embedded(scene: Scene, provider: str) -> None:
    speaks = OpenAIProvider(base_url=f"{scene.running.url}/v1", api_key=scene.key)
    model = OpenAIEmbeddingModel(await embedding_model(scene, provider), provider=speaks)
    embedded = await Embedder(model).embed_documents(["one", "two"])
    await speaks.client.close()
    assert embedded.embeddings == VECTORS
    assert embedded.usage.input_tokens > 0


@pytest.mark.shows("typed errors", "waits told", client="Pydantic AI")
async def test_errors_are_typed(scene: Scene, agent: Any) -> None:
    with pytest.raises(ModelAuthenticationError):
        await agent(key="invalid").run(HELLO)
    with pytest.raises(ModelHTTPError) as unknown:
        await agent("no-such-model").run(HELLO)
    assert unknown.value.status_code == 400
    with pytest.raises(ModelRateLimitError) as limited:
        await agent(key=await limited_key(scene)).run(HELLO)
    assert 50 <= (limited.value.retry_after or 0) <= 61
    both_fail(scene)
    with pytest.raises(ModelUnavailableError):
        await agent().run(HELLO)


@pytest.mark.shows("leaving", client="Pydantic AI")
async def test_leaving_a_stream_stops_the_provider_and_settles_once(
    scene: Scene, agent: Any
) -> None:
    scene.openai.hang(after_events=3)
    async with agent().run_stream(HELLO) as run:
        assert await anext(run.stream_text(delta=True, debounce_by=None))
        await run.cancel()
    await assert_settled_once(scene)
