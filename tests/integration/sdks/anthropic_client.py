"""Anthropic's own."""

from typing import Any

import anthropic
from anthropic import AsyncAnthropic
from client import HELLO, OF_OPENAI, WEATHER_SCHEMA, Called, City, Client, Said, weather

_ASKED = {"role": "user", "content": HELLO}
_WEATHER = {
    "name": "weather",
    "description": "The weather in a city.",
    "input_schema": WEATHER_SCHEMA,
}


class AnthropicClient(Client):
    always_tells_usage = True
    raises = anthropic.APIError
    kinds = OF_OPENAI

    def __post_init__(self) -> None:
        # Untyped: what is sent are plain dictionaries.
        self._client: Any = AsyncAnthropic(base_url=self.url, api_key=self.key, max_retries=0)

    async def close(self) -> None:
        await self._client.close()

    def _asks(self, *more: Any) -> dict[str, Any]:
        return {"model": self.model, "max_tokens": 100, "messages": [_ASKED, *more]}

    async def chat(self) -> Said:
        message = await self._client.messages.create(**self._asks())
        assert message.stop_reason == "end_turn"
        return Said(pieces=[_text(message)], tokens=message.usage.output_tokens)

    async def stream(self, *, usage: bool) -> Said:
        async with self._client.messages.stream(**self._asks()) as stream:
            pieces = [piece async for piece in stream.text_stream]
            message = await stream.get_final_message()
        assert "".join(pieces) == _text(message)
        return Said(pieces=pieces, tokens=message.usage.output_tokens)

    async def tool(self, *, streams: bool) -> Called:
        asks = {**self._asks(), "tools": [_WEATHER]}
        if streams:
            async with self._client.messages.stream(**asks) as stream:
                message = await stream.get_final_message()
        else:
            message = await self._client.messages.create(**asks)
        assert message.stop_reason == "tool_use"
        (call,) = (block for block in message.content if block.type == "tool_use")
        result = {"type": "tool_result", "tool_use_id": call.id, "content": weather("Paris")}
        more = (
            {"role": "assistant", "content": message.content},
            {"role": "user", "content": [result]},
        )
        answer = await self._client.messages.create(**self._asks(*more), tools=[_WEATHER])
        return Called(name=call.name, arguments=call.input, text=_text(answer))

    async def read_object(self) -> Any:
        message = await self._client.messages.parse(**self._asks(), output_format=City)
        return message.parsed_output.model_dump()

    async def models(self) -> list[str]:
        one = await self._client.models.retrieve(self.model)
        assert (one.type, one.id) == ("model", self.model)
        assert one.display_name
        return [model.id async for model in self._client.models.list()]

    async def leave(self) -> None:
        async with self._client.messages.stream(**self._asks()) as stream:
            await anext(aiter(stream.text_stream))


def _text(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")
