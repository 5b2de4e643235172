"""A running gateway for a test: the real one, over real HTTP, on a database of its own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Self

import aiohttp
import pytest

from langroute.application.gateway import Gateway
from langroute.entrypoints.cli.serving import serving
from langroute.entrypoints.cli.stop import Stop
from langroute.entrypoints.container import Container
from langroute.entrypoints.settings import Settings, load_settings
from postgres_fixtures import Databases
from upstreams.mistral import MistralUpstream
from upstreams.openai import OpenAIUpstream

ENCRYPTION_KEY = "0f" * 32


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningGateway:
    """`url` ends without a slash; `http` calls it, relative to that."""

    url: str
    http: aiohttp.ClientSession
    container: Container
    settings: Settings

    @property
    def gateway(self) -> Gateway:
        return self.container.gateway()

    async def call(
        self, method: str, path: str, body: object = None, *, key: str | None = None
    ) -> "Answered":
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        async with self.http.request(method, path, json=body, headers=headers) as response:
            return await Answered.of(response)

    async def chat(self, key: str, **fields: Any) -> "Answered":
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}], **fields}
        return await self.call("POST", "/v1/chat/completions", body, key=key)

    async def new_key(self, **fields: Any) -> str:
        answered = await self.call("POST", "/api/keys", fields)
        assert answered.status == 201, answered
        return str(answered.body["virtual_key"])

    async def entries(self, count: int = 1) -> list[dict[str, Any]]:
        """The ledger's newest entries, once there are so many: they are written in batches."""
        async with asyncio.timeout(10):
            while True:
                found = (await self.call("GET", "/api/ledger")).body["data"]
                if len(found) >= count:
                    return list(found)
                await asyncio.sleep(0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: Any

    @classmethod
    async def of(cls, response: aiohttp.ClientResponse) -> Self:
        is_json = "json" in response.headers.get("content-type", "")
        return cls(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=await response.json() if is_json else await response.text(),
        )


@asynccontextmanager
async def running_gateway(database_url: str, **settings: object) -> AsyncIterator[RunningGateway]:
    loaded = load_settings(
        **{
            "database_url": database_url,
            "encryption_key": ENCRYPTION_KEY,
            "dev": True,
            "port": 0,
            "shutdown_timeout_s": 5.0,
            **settings,
        }
    )
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[tuple[Settings, Container]] = loop.create_future()
    stop = Stop()
    server = asyncio.create_task(
        serving(
            loaded,
            stop,
            on_ready=lambda bound, container: ready.set_result((bound, container)),
        )
    )
    server.add_done_callback(lambda _: ready.done() or ready.cancel())
    try:
        bound, container = await ready
    except asyncio.CancelledError:
        await server  # tells why
        raise
    url = f"http://127.0.0.1:{bound.port}"
    try:
        async with aiohttp.ClientSession(url) as http:
            yield RunningGateway(url=url, http=http, container=container, settings=bound)
    finally:
        stop.ask()
        await server


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A gateway whose OpenAI and Mistral are doubles. `key` has a credential for both."""

    running: RunningGateway
    openai: OpenAIUpstream
    mistral: MistralUpstream
    key: str

    async def chat(self, **fields: Any) -> Answered:
        return await self.running.chat(self.key, **fields)

    async def without_token_limit(self) -> "Scene":
        """With another key: for calls that have no bound, which a limit of tokens would refuse."""
        key = await self.running.new_key(tokens_per_minute=None)
        await save_credentials(self.running, key)
        return replace(self, key=key)


OPENAI_SECRET = "sk-proj-the-openai-secret"
MISTRAL_SECRET = "the-mistral-secret"


@asynccontextmanager
async def scene_on(database_url: str, **settings: object) -> AsyncIterator[Scene]:
    async with (
        OpenAIUpstream(credential=OPENAI_SECRET) as openai,
        MistralUpstream(credential=MISTRAL_SECRET) as mistral,
        running_gateway(database_url, **settings) as running,
    ):
        for name, upstream in (("openai", openai), ("mistral", mistral)):
            defined = await running.call(
                "PUT", f"/api/providers/{name}", {"kind": name, "base_url": upstream.base_url}
            )
            assert defined.status == 200, defined
        key = await running.new_key()
        await save_credentials(running, key)
        yield Scene(running=running, openai=openai, mistral=mistral, key=key)


async def save_credentials(running: RunningGateway, key: str) -> None:
    secrets = {"openaiKey": OPENAI_SECRET, "mistralKey": MISTRAL_SECRET}
    saved = await running.call("POST", "/api/save-keys", {"virtualKey": key, **secrets})
    assert saved.body["saved"] == ["openai", "mistral"], saved


@pytest.fixture
async def scene(database_url: str) -> AsyncIterator[Scene]:
    async with scene_on(database_url) as scene:
        yield scene


@pytest.fixture(scope="session")
async def shared_gateway(databases: Databases) -> AsyncIterator[RunningGateway]:
    """For tests that change nothing which another one could see."""
    async with (
        databases.url() as url,
        running_gateway(url, max_body_bytes=100_000) as running,
    ):
        yield running
