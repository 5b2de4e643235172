"""OpenAI's Agents SDK, on chat completions and on responses."""

import json
from typing import Any, ClassVar

import openai
from agents import (
    Agent,
    ModelSettings,
    OpenAIChatCompletionsModel,
    OpenAIResponsesModel,
    Runner,
    function_tool,
)
from client import HELLO, OF_OPENAI, Called, City, Client, Said, weather
from openai import AsyncOpenAI

_WEATHER = function_tool(weather)


class AgentsOnChats(Client):
    raises = openai.APIError
    kinds = OF_OPENAI
    speaks: ClassVar[Any] = OpenAIChatCompletionsModel

    def __post_init__(self) -> None:
        self._client = AsyncOpenAI(base_url=f"{self.url}/v1", api_key=self.key, max_retries=0)

    async def close(self) -> None:
        await self._client.close()

    def _agent(self, *, usage: bool = True, **more: Any) -> Agent[None]:
        return Agent(
            name="Test",
            instructions="Be brief.",
            model=self.speaks(model=self.model, openai_client=self._client),
            model_settings=ModelSettings(include_usage=usage),
            **more,
        )

    async def chat(self) -> Said:
        run = await Runner.run(self._agent(), HELLO)
        return Said(pieces=[run.final_output], tokens=run.context_wrapper.usage.output_tokens)

    async def stream(self, *, usage: bool) -> Said:
        run = Runner.run_streamed(self._agent(usage=usage), HELLO)
        events: list[Any] = [event async for event in run.stream_events()]
        raw = [event.data for event in events if event.type == "raw_response_event"]
        return Said(
            pieces=[event.delta for event in raw if event.type == "response.output_text.delta"],
            tokens=run.context_wrapper.usage.output_tokens or None,
        )

    async def tool(self, *, streams: bool) -> Called:
        agent = self._agent(tools=[_WEATHER])
        run: Any
        if streams:
            run = Runner.run_streamed(agent, HELLO)
            async for _ in run.stream_events():
                pass
        else:
            run = await Runner.run(agent, HELLO)
        (call,) = (item.raw_item for item in run.new_items if item.type == "tool_call_item")
        return Called(name=call.name, arguments=json.loads(call.arguments), text=run.final_output)

    async def read_object(self) -> Any:
        run = await Runner.run(self._agent(output_type=City), HELLO)
        return run.final_output.model_dump()

    async def leave(self) -> None:
        run = Runner.run_streamed(self._agent(), HELLO)
        async for event in run.stream_events():
            if event.type == "raw_response_event":
                run.cancel()


class AgentsOnResponses(AgentsOnChats):
    always_tells_usage = True
    speaks = OpenAIResponsesModel
