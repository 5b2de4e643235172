"""The gateway inside another web application, here one of aiohttp's.

The application has its own users and its own paths; LangRoute decides who may call which model,
keeps each to its limits, and writes the ledger. Run it with
`python examples/embed_in_a_web_application.py`, then:

    curl -d '{"text": "Hello, world!"}' localhost:8080/summaries
"""

import os
from collections.abc import AsyncIterator

from aiohttp import web

from langroute import ChatRequest, Gateway, GatewayError, KeyOrder
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
        issued = await gateway.issue_virtual_key(KeyOrder(name="summaries"))
        if secret := os.environ.get("OPENAI_API_KEY"):
            await gateway.save_credentials(issued.key.id, {"openai": secret})
        app[GATEWAY] = gateway
        app[SECRET] = issued.secret
        yield
        await gateway.revoke_virtual_key(issued.key.id)


def make_app() -> web.Application:
    app = web.Application()
    app.cleanup_ctx.append(langroute)
    app.router.add_post("/summaries", summarize)
    return app


if __name__ == "__main__":
    web.run_app(make_app(), host="127.0.0.1", port=8080)
