"""Mistral's own."""

from typing import Any

from client import HELLO, WEATHER, Called, City, Client, Failure, Said, weather
from mistralai.client import Mistral, errors

_ASKED = {"role": "user", "content": HELLO}


class MistralClient(Client):
    always_tells_usage = True
    # It has one exception for all statuses, and one for the 422 that Mistral answers with.
    raises = errors.MistralError
    kinds = dict.fromkeys((400, 401, 404, 429, 502), "SDKError")

    def __post_init__(self) -> None:
        # Untyped: what is sent are plain dictionaries.
        self._client: Any = Mistral(server_url=self.url, api_key=self.key)

    async def close(self) -> None:
        await self._client.__aexit__(None, None, None)

    @staticmethod
    def failure(error: Any) -> Failure:
        return Failure(
            kinds=[type(error).__name__],
            status=error.status_code,
            wait=error.headers.get("retry-after"),
        )

    def _asks(self, *more: Any) -> dict[str, Any]:
        return {"model": self.model, "messages": [_ASKED, *more]}

    async def chat(self) -> Said:
        answer = await self._client.chat.complete_async(**self._asks())
        (choice,) = answer.choices
        assert choice.finish_reason == "stop"
        return Said(pieces=[choice.message.content], tokens=answer.usage.completion_tokens)

    async def stream(self, *, usage: bool) -> Said:
        stream = await self._client.chat.stream_async(**self._asks())
        chunks = [event.data async for event in stream]
        told = [chunk.usage.completion_tokens for chunk in chunks if chunk.usage]
        return Said(
            pieces=[chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices],
            tokens=sum(told) if told else None,
        )

    async def tool(self, *, streams: bool) -> Called:
        asks = {**self._asks(), "tools": [WEATHER]}
        if streams:
            stream = await self._client.chat.stream_async(**asks)
            deltas = [event.data.choices[0].delta async for event in stream if event.data.choices]
            calls = [call for delta in deltas for call in delta.tool_calls or ()]
            call = calls[0]
            call.function.arguments = "".join(str(one.function.arguments) for one in calls)
            message: Any = {"role": "assistant", "content": "", "tool_calls": [call]}
        else:
            called = await self._client.chat.complete_async(**asks)
            message = called.choices[0].message
            (call,) = message.tool_calls
        result = {
            "role": "tool",
            "name": "weather",
            "tool_call_id": call.id,
            "content": weather("Paris"),
        }
        answer = await self._client.chat.complete_async(
            **self._asks(message, result), tools=[WEATHER]
        )
        return Called.of(call.function, answer.choices[0].message.content)

    async def read_object(self) -> Any:
        answer = await self._client.chat.parse_async(City, **self._asks())
        return answer.choices[0].message.parsed.model_dump()

    async def embed(self) -> list[list[float]]:
        embedded = await self._client.embeddings.create_async(
            model=self.model, inputs=["one", "two"]
        )
        return [item.embedding for item in embedded.data]

    async def models(self) -> list[str]:
        one = await self._client.models.retrieve_async(model_id=self.model)
        assert one.id == self.model
        return [model.id for model in (await self._client.models.list_async()).data]

    async def leave(self) -> None:
        async with await self._client.chat.stream_async(**self._asks()) as stream:
            await anext(aiter(stream))
