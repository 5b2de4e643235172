"""Agents of Pydantic AI on OpenAI's chat format."""

from collections.abc import Mapping
from typing import Any, ClassVar

from client import HELLO, Called, City, Client, Failure, Said, weather
from pydantic_ai import Agent, Embedder, ModelAPIError, NativeOutput, UnexpectedModelBehavior
from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider


class PydanticAI(Client):
    always_tells_usage = True
    raises = (ModelAPIError, UnexpectedModelBehavior)
    kinds: ClassVar[Mapping[int, str]] = {
        400: "ModelHTTPError",
        401: "ModelAuthenticationError",
        404: "ModelNotFoundError",
        429: "ModelRateLimitError",
        502: "ModelServerError",
    }

    def __post_init__(self) -> None:
        self._provider = OpenAIProvider(base_url=f"{self.url}/v1", api_key=self.key)
        self._provider.client.max_retries = 0

    async def close(self) -> None:
        await self._provider.client.close()

    @staticmethod
    def failure(error: Any) -> Failure:
        wait = getattr(error, "retry_after", None)
        return Failure(
            kinds=[kind.__name__ for kind in type(error).__mro__],
            status=getattr(error, "status_code", None),
            wait=None if wait is None else str(int(wait)),
        )

    def agent(self, **more: Any) -> Agent[None, Any]:
        return Agent(OpenAIChatModel(self.model, provider=self._provider), **more)

    async def chat(self) -> Said:
        run = await self.agent(instructions="Be brief.").run(HELLO)
        usage: Any = run.usage
        return Said(pieces=[run.output], tokens=usage.output_tokens)

    async def stream(self, *, usage: bool) -> Said:
        async with self.agent().run_stream(HELLO) as run:
            pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
            used: Any = run.usage
        return Said(pieces=pieces, tokens=used.output_tokens)

    async def tool(self, *, streams: bool) -> Called:
        agent = self.agent(tools=[weather])
        run: Any
        if streams:
            async with agent.run_stream(HELLO) as run:
                text = await run.get_output()
        else:
            run = await agent.run(HELLO)
            text = run.output
        (call,) = (
            part
            for message in run.all_messages()
            for part in message.parts
            if isinstance(part, ToolCallPart)
        )
        return Called(name=call.tool_name, arguments=call.args_as_dict(), text=text)

    async def read_object(self) -> Any:
        return (await self.agent(output_type=NativeOutput(City)).run(HELLO)).output.model_dump()

    async def embed(self) -> list[Any]:
        model = OpenAIEmbeddingModel(self.model, provider=self._provider)
        embedded = await Embedder(model).embed_documents(["one", "two"])
        assert embedded.usage.input_tokens > 0
        return list(embedded.embeddings)

    async def leave(self) -> None:
        async with self.agent().run_stream(HELLO) as run:
            assert await anext(run.stream_text(delta=True, debounce_by=None))
            await run.cancel()
