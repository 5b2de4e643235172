"""A gateway with a double of every kind of provider, each alone behind a model of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

import pytest

from gateway_fixtures import RunningGateway, running_gateway
from postgres_fixtures import Databases
from upstreams.anthropic import AnthropicUpstream
from upstreams.double import UpstreamDouble
from upstreams.gemini import GeminiUpstream
from upstreams.mistral import MistralUpstream
from upstreams.openai import OpenAIUpstream

_SECRET = "the-providers-secret"
_DOUBLES: Mapping[str, type[UpstreamDouble]] = {
    "openai": OpenAIUpstream,
    "mistral": MistralUpstream,
    "anthropic": AnthropicUpstream,
    "gemini": GeminiUpstream,
}
MODELS = {
    "openai": "gpt-4o-mini",
    "mistral": "mistral-small-latest",
    "anthropic": "claude-haiku-4-5",
    "gemini": "gemini-3.6-flash",
}
EMBEDDERS = {
    "openai": "text-embedding-3-small",
    "mistral": "mistral-embed",
    "gemini": "gemini-embedding-001",
}
OF_EACH_PROVIDER = pytest.mark.parametrize("provider", MODELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class EveryUpstream:
    """One gateway for all tests of clients. The key is a test's own, and may use every model of
    MODELS and EMBEDDERS; nothing that a double is told to do outlives the test."""

    running: RunningGateway
    doubles: Mapping[str, UpstreamDouble]
    key: str
    key_id: str

    def told(self, kind: str) -> str:
        """What the provider was sent last, as JSON."""
        return json.dumps(self.doubles[kind].seen[-1].body)

    async def entry(self) -> dict[str, Any]:
        """The one in the ledger of this test's key, once it is there."""
        async with asyncio.timeout(10):
            while True:
                path = f"/api/ledger?key={self.key_id}"
                if found := (await self.running.call("GET", path)).body["data"]:
                    (entry,) = found
                    return dict(entry)
                await asyncio.sleep(0.02)


@pytest.fixture(scope="session")
async def _shared(databases: Databases) -> AsyncIterator[EveryUpstream]:
    async with AsyncExitStack() as stack:
        doubles = {
            kind: await stack.enter_async_context(double(credential=_SECRET))
            for kind, double in _DOUBLES.items()
        }
        url = await stack.enter_async_context(databases.url())
        running = await stack.enter_async_context(running_gateway(url))
        for kind, double in doubles.items():
            address = {"kind": kind, "base_url": double.base_url}
            await _put(running, f"providers/{kind}", address)
            await _put(running, f"providers/{kind}/credential", {"secret": _SECRET})
            for model in (MODELS[kind], EMBEDDERS.get(kind)):
                if model is not None:
                    target = {"provider": kind, "model": model}
                    await _put(running, f"routes/{model}", {"targets": [target]})
        yield EveryUpstream(running=running, doubles=doubles, key="", key_id="")


async def _put(running: RunningGateway, path: str, body: Any) -> None:
    answered = await running.call("PUT", f"/api/{path}", body)
    assert answered.status < 300, answered


@pytest.fixture
async def upstreams(_shared: EveryUpstream) -> EveryUpstream:
    for double in _shared.doubles.values():
        double.forget()
    made = (await _shared.running.call("POST", "/api/keys", {})).body
    return replace(_shared, key=made["virtual_key"], key_id=made["id"])
