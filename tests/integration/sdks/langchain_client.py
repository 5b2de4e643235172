"""LangChain's models for OpenAI, with no more than a base URL, a key and a model."""

from typing import Any

import openai
from client import HELLO, OF_OPENAI, Called, City, Client, Said, weather
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import SecretStr

_WEATHER = tool(weather)


class LangChain(Client):
    raises = openai.APIError
    kinds = OF_OPENAI

    def chats(self, **more: Any) -> ChatOpenAI:
        settings: dict[str, Any] = {"api_key": self.key, "max_retries": 0, **more}
        return ChatOpenAI(base_url=f"{self.url}/v1", model=self.model, **settings)

    async def chat(self) -> Said:
        answer = await self.chats().ainvoke(HELLO)
        assert answer.response_metadata["finish_reason"] == "stop"
        assert answer.usage_metadata is not None
        return Said(pieces=[str(answer.content)], tokens=answer.usage_metadata["output_tokens"])

    async def stream(self, *, usage: bool) -> Said:
        chunks = [chunk async for chunk in self.chats(stream_usage=usage).astream(HELLO)]
        told = [c.usage_metadata["output_tokens"] for c in chunks if c.usage_metadata is not None]
        return Said(
            pieces=[str(chunk.content) for chunk in chunks],
            tokens=sum(told) if told else None,
        )

    async def tool(self, *, streams: bool) -> Called:
        client = self.chats(streaming=streams).bind_tools([_WEATHER])
        messages: list[Any] = [("user", HELLO)]
        called = await client.ainvoke(messages)
        (call,) = called.tool_calls
        answer = await client.ainvoke([*messages, called, await _WEATHER.ainvoke(call)])
        return Called(name=call["name"], arguments=call["args"], text=str(answer.content))

    async def read_object(self) -> Any:
        reader = self.chats().with_structured_output(City, method="json_schema")
        city: Any = await reader.ainvoke(HELLO)
        return city.model_dump()

    async def embed(self) -> list[list[float]]:
        # As its page says for servers other than OpenAI's: it would send token numbers, otherwise,
        # and download a table to make them.
        client = OpenAIEmbeddings(
            base_url=f"{self.url}/v1",
            api_key=SecretStr(self.key),
            model=self.model,
            check_embedding_ctx_length=False,
        )
        embedded = await client.aembed_documents(["one", "two"])
        await client.async_client._client.close()
        return embedded

    async def leave(self) -> None:
        stream: Any = self.chats().astream(HELLO)
        await anext(stream)
        await stream.aclose()
