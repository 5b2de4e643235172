"""The gateway inside another web application, here one of aiohttp's.

The application has its own users and its own paths; LangRoute decides who may call which model,
keeps each to its limits, and writes the ledger. Run it with
`python examples/embed_in_a_web_application.py`, then:

    curl -d '{"text": "Hello, world!"}' localhost:8080/summaries
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator

from aiohttp import web

from langroute import ChatRequest, Gateway, GatewayError, KeyOrder, Provider, ProviderKind
from langroute.entrypoints.embedding import open_gateway

GATEWAY = web.AppKey("gateway", Gateway)
SECRET = web.AppKey("secret", str)


async def summarize(request: web.Request) -> web.Response:
    gateway = request.app[GATEWAY]
    text = str((await request.json())["text"])
    chat = ChatRequest.parse(
        {
            "model": os.environ.get("MODEL", "gpt-4o-mini"),
            "messages": [{"role": "user", "content": f"Summarize in one sentence: {text}"}],
            "max_completion_tokens": 100,
        }
    )
    try:
        key = await gateway.authorize(request.app[SECRET])
        completed = await gateway.complete_chat(key, chat)
    except GatewayError as error:
        return web.json_response({"error": str(error), "fault": error.fault}, status=502)
    return web.json_response(
        {
            "summary": completed.body["choices"][0]["message"]["content"],
            "cost_usd": str(completed.receipt.cost),
        }
    )


async def langroute(app: web.Application) -> AsyncIterator[None]:
    """Opens the gateway with the application, and closes it with it."""
    async with open_gateway() as gateway:
        if base_url := os.environ.get("OPENAI_BASE_URL"):
            await gateway.define_provider(
                Provider(name="openai", kind=ProviderKind.OPENAI, base_url=base_url)
            )
        issued = await gateway.issue_virtual_key(KeyOrder(name="summaries"))
        if secret := os.environ.get("OPENAI_API_KEY"):
            await gateway.save_credentials(issued.key.id, {"openai": secret})
        app[GATEWAY] = gateway
        app[SECRET] = issued.secret
        yield
        await gateway.revoke_virtual_key(issued.key.id)


async def main(port: int) -> None:
    app = web.Application()
    app.cleanup_ctx.append(langroute)
    app.router.add_post("/summaries", summarize)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        print(f"summaries at http://127.0.0.1:{runner.addresses[0][1]}", flush=True)
        stop = asyncio.Event()
        for signal_number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
        await stop.wait()
    finally:
        await runner.cleanup()


if __name__ == "__main__":
    asyncio.run(main(int(os.environ.get("APP_PORT", "8080"))))
