"""The gateway in a plain asyncio script: no HTTP between you and it.

    OPENAI_API_KEY=sk-… python examples/embed_in_a_script.py "Why is the sky blue?"

It starts a Postgres of its own in `.langroute`, as the server does, so what you spend here is in
the same ledger. `OPENAI_BASE_URL` points it at another server that speaks OpenAI's format.
"""

import asyncio
import os
import sys

from langroute import ChatRequest, KeyOrder, Limits, Provider, ProviderKind, SpendQuery
from langroute.entrypoints.embedding import open_gateway


async def main(question: str) -> None:
    async with open_gateway() as gateway:
        base_url = os.environ.get("OPENAI_BASE_URL", "https://api.openai.com/v1")
        await gateway.define_provider(
            Provider(name="openai", kind=ProviderKind.OPENAI, base_url=base_url)
        )
        issued = await gateway.issue_virtual_key(
            KeyOrder(
                name="embed_in_a_script",
                limits=Limits(requests_per_minute=5, tokens_per_minute=20_000),
            )
        )
        await gateway.save_credentials(issued.key.id, {"openai": os.environ["OPENAI_API_KEY"]})

        key = await gateway.authorize(issued.secret)
        chat = ChatRequest.parse(
            {
                "model": "gpt-4o-mini",
                "messages": [{"role": "user", "content": question}],
                "max_completion_tokens": 200,
                "stream": True,
            }
        )
        stream = await gateway.stream_chat(key, chat)
        async for chunk in stream:
            for choice in chunk["choices"]:
                print(choice["delta"].get("content") or "", end="", flush=True)
        print(f"\n\nthis cost ${stream.receipt.cost}")
        await gateway.revoke_virtual_key(issued.key.id)

    async with open_gateway() as gateway:
        for line in await gateway.report_spend(SpendQuery(by="model")):
            print(f"{line.name}: {line.calls} calls, ${line.cost}")


if __name__ == "__main__":
    asyncio.run(main(" ".join(sys.argv[1:]) or "Why is the sky blue?"))
