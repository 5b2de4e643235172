"""OpenAI's Agents SDK, on chat completions and on responses."""

from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
)
from asked import (
    HELLO,
    OF_EACH_PROVIDER,
    SAID,
    assert_settled_once,
    both_fail,
    double_of,
    limited_key,
    tool_results,
    waits_about_a_minute,
    will_call_weather,
)
from openai import AsyncOpenAI
from pydantic import BaseModel

from gateway_fixtures import Scene

pytestmark = pytest.mark.usefixtures("loopback_only")


class City(BaseModel):
    """Where something is."""

    name: str
    country: str


@function_tool
def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


APIS = {"chat": OpenAIChatCompletionsModel, "responses": OpenAIResponsesModel}


@pytest.fixture(params=APIS)
async def api(scene: Scene, request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    """Makes an agent that speaks chat completions, and one that speaks responses."""
    if request.param == "responses":
        answered = await scene.running.call("POST", "/v1/responses", {}, key=scene.key)
        if answered.status == 404:
            pytest.skip("/v1/responses is not there")
    clients: list[AsyncOpenAI] = []

    def agent(model: str = "gpt-4o-mini", key: str | None = None, **more: Any) -> Agent[None]:
        url = f"{scene.running.url}/v1"
        client = AsyncOpenAI(base_url=url, api_key=key or scene.key, max_retries=0)
        clients.append(client)
        speaks: Any = APIS[request.param]
        settings = more.pop("model_settings", ModelSettings(include_usage=True))
        return Agent(
            name="Test",
            model=speaks(model=model, openai_client=client),
            model_settings=settings,
            **more,
        )

    yield agent
    for client in clients:
        await client.close()


@pytest.mark.shows("chat", client="OpenAI Agents SDK, {api}")
@OF_EACH_PROVIDER
async def test_chats(api: Any, model: str) -> None:
    run = await Runner.run(api(model, instructions="Be brief."), HELLO)
    assert run.final_output == SAID
    assert run.context_wrapper.usage.total_tokens > 0


@pytest.mark.shows("stream", "usage in streams", client="OpenAI Agents SDK, {api}")
@OF_EACH_PROVIDER
async def test_streams_with_usage(api: Any, model: str) -> None:
    run = Runner.run_streamed(api(model), HELLO)
    events = [event async for event in run.stream_events()]
    deltas = [
        event.data.delta
        for event in events
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    assert len(deltas) > 1
    assert "".join(deltas) == run.final_output == SAID
    assert run.context_wrapper.usage.total_tokens > 0


@pytest.mark.shows("tools", "tools in streams", client="OpenAI Agents SDK, {api}")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("streams", [False, True], ids=["whole", "stream"])
async def test_a_tool_is_called_and_its_result_answered(
    scene: Scene, api: Any, model: str, streams: bool
) -> None:
    double = will_call_weather(scene, model)
    agent = api(model, tools=[weather])
    if streams:
        run: Any = Runner.run_streamed(agent, HELLO)
        async for _ in run.stream_events():
            pass
    else:
        run = await Runner.run(agent, HELLO)
    assert run.final_output == "It is sunny in Paris."
    assert tool_results(double) == ["Sunny in Paris"]


@pytest.mark.shows("JSON schema", client="OpenAI Agents SDK, {api}")
@OF_EACH_PROVIDER
async def test_an_object_is_read_from_the_answer(scene: Scene, api: Any, model: str) -> None:
    double = double_of(scene, model)
    double.say('{"name": "Paris", "country": "France"}')
    run = await Runner.run(api(model, output_type=City), "Where is Paris?")
    assert run.final_output == City(name="Paris", country="France")
    assert double.seen[0].body["response_format"]["type"] == "json_schema"


@pytest.mark.shows("typed errors", "waits told", client="OpenAI Agents SDK, {api}")
async def test_errors_are_typed(scene: Scene, api: Any) -> None:
    with pytest.raises(openai.AuthenticationError):
        await Runner.run(api(key="invalid"), HELLO)
    with pytest.raises(openai.BadRequestError):
        await Runner.run(api("no-such-model"), HELLO)
    with pytest.raises(openai.RateLimitError) as limited:
        await Runner.run(api(key=await limited_key(scene)), HELLO)
    assert waits_about_a_minute(limited.value.response.headers)
    both_fail(scene)
    with pytest.raises(openai.InternalServerError):
        await Runner.run(api(), HELLO)


@pytest.mark.shows("leaving", client="OpenAI Agents SDK, {api}")
async def test_leaving_a_stream_stops_the_provider_and_settles_once(scene: Scene, api: Any) -> None:
    scene.openai.hang(after_events=3)
    run = Runner.run_streamed(api(), HELLO)
    async for event in run.stream_events():
        if event.type == "raw_response_event":
            run.cancel()
    await assert_settled_once(scene)
