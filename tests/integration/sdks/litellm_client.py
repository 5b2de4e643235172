"""litellm's library as a client, under the names that it has for servers like this one."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any, ClassVar

import litellm
import openai
import pytest
from client import HELLO, OF_OPENAI, WEATHER, Called, City, Client, Failure, Said, weather
from litellm.llms.custom_httpx.async_client_cleanup import close_litellm_async_clients

_ASKED = {"role": "user", "content": HELLO}


class LiteLLM(Client):
    raises = openai.OpenAIError
    kinds: ClassVar[Mapping[int, str]] = {**OF_OPENAI, 502: "BadGatewayError"}
    marks = (
        # Of its own sign-in to GitHub, when that is first imported.
        pytest.mark.filterwarnings("ignore:.*using the `ReadOnly` qualifier:UserWarning"),
        # It looks through all attributes of a chunk.
        pytest.mark.filterwarnings(
            "ignore:Accessing the 'model_(computed_)?fields' attribute:DeprecationWarning"
        ),
    )

    async def close(self) -> None:
        """It keeps its connections for the whole process."""
        close: Any = close_litellm_async_clients
        await close()

    @staticmethod
    def failure(error: Any) -> Failure:
        headers = getattr(error, "litellm_response_headers", None) or {}
        return Failure(
            kinds=[kind.__name__ for kind in type(error).__mro__],
            status=getattr(error, "status_code", None),
            wait=headers.get("retry-after"),
        )

    async def _ask(self, *messages: Any, **more: Any) -> Any:
        return await litellm.acompletion(
            model=f"openai/{self.model}",
            messages=[_ASKED, *messages],
            api_base=f"{self.url}/v1",
            api_key=self.key,
            max_retries=0,
            **more,
        )

    async def chat(self) -> Said:
        answer = await self._ask()
        text = answer.choices[0].message.content
        return Said(pieces=[text], tokens=answer.usage.completion_tokens)

    async def stream(self, *, usage: bool) -> Said:
        more = {"stream_options": {"include_usage": True}} if usage else {}
        chunks = [chunk async for chunk in await self._ask(stream=True, **more)]
        told = [c.usage.completion_tokens for c in chunks if getattr(c, "usage", None)]
        return Said(
            pieces=[chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices],
            tokens=sum(told) if told else None,
        )

    async def tool(self, *, streams: bool) -> Called:
        called: Any = await self._ask(tools=[WEATHER], stream=streams)
        if streams:
            put_together: Any = litellm.stream_chunk_builder
            called = put_together([chunk async for chunk in called])
        message = called.choices[0].message
        (call,) = message.tool_calls
        result = {"role": "tool", "tool_call_id": call.id, "content": weather("Paris")}
        answer = await self._ask(message.model_dump(exclude_none=True), result, tools=[WEATHER])
        return Called.of(call.function, answer.choices[0].message.content)

    async def read_object(self) -> Any:
        answer = await self._ask(response_format=City)
        return json.loads(answer.choices[0].message.content)

    async def embed(self) -> list[list[float]]:
        embedded: Any = await litellm.aembedding(
            model=f"openai/{self.model}",
            input=["one", "two"],
            api_base=f"{self.url}/v1",
            api_key=self.key,
        )
        return [item["embedding"] for item in embedded.data]

    async def models(self) -> list[str]:
        names = await asyncio.to_thread(
            litellm.get_valid_models,
            check_provider_endpoint=True,
            custom_llm_provider="openai",
            api_base=f"{self.url}/v1",
            api_key=self.key,
        )
        # One connection of the whole process, which nothing else here uses.
        shared: Any = litellm.module_level_client
        shared.close()
        return [name.removeprefix("openai/") for name in names]

    async def leave(self) -> None:
        stream = await self._ask(stream=True)
        await anext(stream)
        await stream.aclose()
