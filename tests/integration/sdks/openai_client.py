"""OpenAI's own, on chats and on responses."""

from typing import Any

import openai
from client import (
    HELLO,
    OF_OPENAI,
    WEATHER,
    Called,
    City,
    Client,
    Said,
    weather,
)
from openai import AsyncOpenAI

_ASKED = {"role": "user", "content": HELLO}


class _OpenAI(Client):
    raises = openai.APIError
    kinds = OF_OPENAI

    def __post_init__(self) -> None:
        # Untyped: what is sent are plain dictionaries.
        self._client: Any = AsyncOpenAI(base_url=f"{self.url}/v1", api_key=self.key, max_retries=0)

    async def close(self) -> None:
        await self._client.close()


class OpenAIChats(_OpenAI):
    async def embed(self) -> list[list[float]]:
        embedded = await self._client.embeddings.create(model=self.model, input=["one", "two"])
        return [item.embedding for item in embedded.data]

    async def models(self) -> list[str]:
        one = await self._client.models.retrieve(self.model)
        assert one.id == self.model
        return [model.id async for model in self._client.models.list()]

    def _asks(self, *more: Any) -> dict[str, Any]:
        return {"model": self.model, "messages": [_ASKED, *more]}

    async def chat(self) -> Said:
        answer = await self._client.chat.completions.create(**self._asks())
        (choice,) = answer.choices
        assert choice.finish_reason == "stop"
        return Said(pieces=[choice.message.content], tokens=answer.usage.completion_tokens)

    async def stream(self, *, usage: bool) -> Said:
        more = {"stream_options": {"include_usage": True}} if usage else {}
        chats = self._client.chat.completions
        stream = await chats.create(**self._asks(), stream=True, **more)
        chunks = [chunk async for chunk in stream]
        told = [chunk.usage.completion_tokens for chunk in chunks if chunk.usage]
        return Said(
            pieces=[chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices],
            tokens=sum(told) if told else None,
        )

    async def tool(self, *, streams: bool) -> Called:
        chats = self._client.chat.completions
        if streams:
            async with chats.stream(**self._asks(), tools=[WEATHER]) as events:
                called = await events.get_final_completion()
        else:
            called = await chats.create(**self._asks(), tools=[WEATHER])
        (choice,) = called.choices
        assert choice.finish_reason == "tool_calls"
        (call,) = choice.message.tool_calls
        result = {"role": "tool", "tool_call_id": call.id, "content": weather("Paris")}
        answer = await chats.create(**self._asks(choice.message, result), tools=[WEATHER])
        return Called.of(call.function, answer.choices[0].message.content)

    async def read_object(self) -> Any:
        answer = await self._client.chat.completions.parse(**self._asks(), response_format=City)
        return answer.choices[0].message.parsed.model_dump()

    async def leave(self) -> None:
        stream = await self._client.chat.completions.create(**self._asks(), stream=True)
        await anext(aiter(stream))
        await stream.close()


class OpenAIResponses(_OpenAI):
    always_tells_usage = True

    def _asks(self, *more: Any) -> dict[str, Any]:
        return {"model": self.model, "input": [_ASKED, *more]}

    async def chat(self) -> Said:
        answer = await self._client.responses.create(**self._asks())
        assert answer.status == "completed"
        return Said(pieces=[answer.output_text], tokens=answer.usage.output_tokens)

    async def stream(self, *, usage: bool) -> Said:
        events = [
            event
            async for event in await self._client.responses.create(**self._asks(), stream=True)
        ]
        assert events[-1].type == "response.completed"
        return Said(
            pieces=[e.delta for e in events if e.type == "response.output_text.delta"],
            tokens=events[-1].response.usage.output_tokens,
        )

    async def tool(self, *, streams: bool) -> Called:
        tool = {"type": "function", **WEATHER["function"], "strict": True}
        responses = self._client.responses
        if streams:
            async with responses.stream(**self._asks(), tools=[tool]) as events:
                called = await events.get_final_response()
        else:
            called = await responses.create(**self._asks(), tools=[tool])
        (call,) = (item for item in called.output if item.type == "function_call")
        result = {
            "type": "function_call_output",
            "call_id": call.call_id,
            "output": weather("Paris"),
        }
        answer = await responses.create(**self._asks(*called.output, result), tools=[tool])
        return Called.of(call, answer.output_text)

    async def read_object(self) -> Any:
        answer = await self._client.responses.parse(**self._asks(), text_format=City)
        return answer.output_parsed.model_dump()

    async def leave(self) -> None:
        stream = await self._client.responses.create(**self._asks(), stream=True)
        async for event in stream:
            if event.type == "response.output_text.delta":
                break
        await stream.close()
