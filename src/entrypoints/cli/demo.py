import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Annotated, Any

import aiohttp
import typer
import uvloop

from ...adapters.wire.sse import EventDecoder
from ..logs import configure_logs
from ..settings import Settings
from .local_model import MODEL, NOTICE, PROMPT, LocalModel
from .output import err, out, working
from .run import settings_or_exit
from .serving import serving
from .stop import Stop

_MAX_TOKENS = 48
_TOLD_HEADERS = (
    "x-request-id",
    "x-langroute-attempts",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
)
# A price for show, as of a small hosted model: US dollars a million tokens.
_PRICE = {"input": "0.02", "output": "0.04"}


def demo(
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port to listen on.")
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="End after the first chat.")] = False,
) -> None:
    """The gateway with a real local model behind it, and a first chat through it."""
    given: dict[str, object] = {"dev": True} if port is None else {"dev": True, "port": port}
    settings = settings_or_exit(**given)
    configure_logs("warning")
    err.print(f"[dim]{NOTICE}[/dim]")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_demo(settings, once=once))


async def _demo(settings: Settings, *, once: bool) -> None:
    model = LocalModel()
    with working("loading the model"):
        try:
            await asyncio.to_thread(model.__enter__)
        except RuntimeError as error:
            err.print(f"[bold red]error[/bold red] {error}", markup=True)
            raise typer.Exit(1) from error
    try:
        async with _gateway(settings) as (url, ended):
            await _show(url, model.base_url)
            if not once:
                out.print("\nThe gateway runs on. Ctrl-C ends it.")
                await ended
    finally:
        await asyncio.to_thread(model.__exit__)


@asynccontextmanager
async def _gateway(settings: Settings) -> AsyncIterator[tuple[str, asyncio.Task[None]]]:
    """Its URL, and what ends when somebody ends it."""
    ready: asyncio.Future[Settings] = asyncio.get_running_loop().create_future()
    stop = Stop.by_signals()
    with working("starting LangRoute and its database"):
        server = asyncio.create_task(
            serving(settings, stop, on_ready=lambda bound, _: ready.set_result(bound)),
            name="langroute-server",
        )
        server.add_done_callback(lambda _: ready.done() or ready.cancel())
        try:
            bound = await ready
        except asyncio.CancelledError:
            await server  # tells why
            raise
    try:
        yield f"http://localhost:{bound.port}", server
    finally:
        stop.ask()
        await server


async def _show(url: str, model_url: str) -> None:
    async with aiohttp.ClientSession(url) as session:
        await _define_route(session, model_url)
        issued = await _call(session, "POST", "/api/generate-virtual-key", {"name": "demo"})
        secret = str(issued["virtualKey"])
        out.print(f"\n[bold]virtual key[/bold]  {secret}")
        out.print(f"[bold]you[/bold]          {PROMPT}")
        headers = await _chat(session, secret)
        out.print()
        for name in _TOLD_HEADERS:
            if name in headers:
                out.print(f"  [dim]{name}:[/dim] {headers[name]}")
        await _tell_cost(session, headers["x-request-id"])
    out.print(
        f"""
Try it yourself:

  curl -N {url}/v1/chat/completions \\
    -H "Authorization: Bearer {secret}" -H "Content-Type: application/json" \\
    -d '{json.dumps(_body())}'""",
        markup=False,
        soft_wrap=True,
    )


async def _define_route(session: aiohttp.ClientSession, model_url: str) -> None:
    provider = {"kind": "openai", "base_url": model_url, "needs_credential": False}
    await _call(session, "PUT", "/api/providers/local", provider)
    route = {"targets": [{"provider": "local", "model": MODEL}], "output_cap": 64}
    await _call(session, "PUT", f"/api/routes/{MODEL}", route)
    await _call(session, "POST", "/api/prices", {"provider": "local", "model": MODEL, **_PRICE})


async def _chat(session: aiohttp.ClientSession, secret: str) -> Mapping[str, str]:
    out.print(f"[bold]{MODEL}[/bold] ", end="")
    bearer = {"Authorization": f"Bearer {secret}"}
    async with session.post("/v1/chat/completions", json=_body(), headers=bearer) as response:
        if not response.ok:
            raise RuntimeError(await response.text())
        decoder = EventDecoder()
        async for piece in response.content.iter_any():
            for event in decoder.feed(piece):
                if event.data != b"[DONE]":
                    _print_pieces(json.loads(event.data))
        out.print()
        return response.headers


def _print_pieces(chunk: dict[str, Any]) -> None:
    if "error" in chunk:
        raise RuntimeError(chunk["error"]["message"])
    for choice in chunk["choices"]:
        out.print(choice["delta"].get("content") or "", end="", markup=False)


async def _tell_cost(session: aiohttp.ClientSession, request_id: str) -> None:
    """The entry is written in a batch, a moment after the answer."""
    for _ in range(50):
        entries = (await _call(session, "GET", "/api/ledger?limit=10"))["data"]
        entry = next((each for each in entries if each["request_id"] == request_id), None)
        if entry is not None:
            usage = entry["usage"]
            out.print(
                f"\n  {usage['input'] + usage['cached_input']} tokens in, {usage['output']} tokens "
                f"out, {entry['duration_ms']} ms: [bold]${entry['cost_usd']}[/bold] in the ledger"
            )
            return
        await asyncio.sleep(0.1)
    raise RuntimeError("the ledger entry did not appear")


def _body() -> dict[str, object]:
    return {
        "model": MODEL,
        "messages": [{"role": "user", "content": PROMPT}],
        "max_tokens": _MAX_TOKENS,
        "stream": True,
    }


async def _call(
    session: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> dict[str, Any]:
    async with session.request(method, path, json=body) as response:
        if not response.ok:
            raise RuntimeError(f"{method} {path}: {await response.text()}")
        answer: dict[str, Any] = await response.json()
        return answer
