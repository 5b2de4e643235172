"""Puts an adapter of one's own in the place of the providers: here, an echo.

Everything else is real: authorization, limits, prices, the ledger. Run it with
`python examples/swap_an_adapter.py`; it needs no database and no network.
"""

import asyncio
from collections.abc import AsyncIterator

from langroute import (
    ChatChunk,
    ChatReply,
    ChatRequest,
    ChunkStream,
    Dialect,
    KeyOrder,
    ModelRoute,
    Provider,
    ProviderKind,
    SpendQuery,
    Target,
    TokenUsage,
    UpstreamCall,
)
from langroute.entrypoints.embedding import open_gateway

ECHO = Provider(
    name="echo", kind=ProviderKind.OPENAI, base_url="http://localhost", needs_credential=False
)


class Echo:
    """An `Upstream`: anything with these two methods is one."""

    async def complete(self, call: UpstreamCall[ChatRequest]) -> ChatReply:
        said = str(call.request.body["messages"][-1]["content"])
        words = len(said.split())
        return ChatReply(
            body={
                "id": "chatcmpl-echo",
                "object": "chat.completion",
                "created": 0,
                "model": call.model,
                "choices": [
                    {
                        "index": 0,
                        "message": {"role": "assistant", "content": said},
                        "finish_reason": "stop",
                    }
                ],
            },
            usage=TokenUsage(input=words, output=words),
        )

    async def stream(self, call: UpstreamCall[ChatRequest]) -> ChunkStream:
        return Words(str(call.request.body["messages"][-1]["content"]).split())


class Words:
    """A `ChunkStream` of one word a chunk."""

    dropped: tuple[str, ...] = ()
    dialect: Dialect | None = None

    def __init__(self, words: list[str]) -> None:
        self._left = iter(words)
        self._usage = TokenUsage(input=len(words), output=len(words))

    def __aiter__(self) -> AsyncIterator[ChatChunk]:
        return self

    async def __anext__(self) -> ChatChunk:
        word = next(self._left, None)
        if word is None:
            raise StopAsyncIteration
        choice = {"index": 0, "delta": {"content": word + " "}, "finish_reason": None}
        return ChatChunk(body={"choices": [choice]}, usage=self._usage, text_bytes=len(word))

    async def aclose(self) -> None:
        self._left = iter(())


async def main() -> None:
    async with open_gateway(memory=True, upstream=Echo()) as gateway:
        await gateway.define_provider(ECHO)
        await gateway.define_route(
            ModelRoute(model="parrot", targets=(Target(provider="echo", model="parrot-1"),))
        )
        issued = await gateway.issue_virtual_key(KeyOrder(name="swap_an_adapter"))
        key = await gateway.authorize(issued.secret)
        chat = ChatRequest.parse(
            {"model": "parrot", "messages": [{"role": "user", "content": "Who's a good bird?"}]}
        )
        completed = await gateway.complete_chat(key, chat)
        print(completed.body["choices"][0]["message"]["content"])
        for line in await gateway.report_spend(SpendQuery()):
            print(f"{line.calls} call, {line.prompt_tokens} + {line.completion_tokens} tokens")


if __name__ == "__main__":
    asyncio.run(main())
