"""What every client library is made to ask, and what must come of it."""

from typing import Any

import pytest

from gateway_fixtures import OPENAI_SECRET, Scene
from upstreams.double import UpstreamDouble
from upstreams.operations import DIMENSIONS, vector

HELLO = "Hello there"
SAID = "You said: Hello there"
CITY = '{"city": "Paris"}'
OF_EACH_PROVIDER = pytest.mark.parametrize("model", ["gpt-4o-mini", "mistral-small-latest"])

FROM_EACH_PROVIDER = pytest.mark.parametrize("provider", ["openai", "mistral"])
VECTORS = [vector("one", DIMENSIONS), vector("two", DIMENSIONS)]


def double_of(scene: Scene, model: str) -> UpstreamDouble:
    return scene.openai if model.startswith("gpt") else scene.mistral


def will_call_weather(scene: Scene, model: str) -> UpstreamDouble:
    """The model asks for the weather first, and after that says something."""
    double = double_of(scene, model)
    number = "call_abc123" if double is scene.openai else "abcdefghi"
    function = {"name": "weather", "arguments": CITY}
    double.say("", tool_calls=[{"id": number, "type": "function", "function": function}])
    double.say("It is sunny in Paris.")
    return double


def tool_results(double: UpstreamDouble) -> list[str]:
    """What the provider was told of the tools that ran, in the last turn."""
    return [str(m["content"]) for m in double.seen[-1].body["messages"] if m["role"] == "tool"]


async def embedding_model(scene: Scene, provider: str) -> str:
    """The name of a model that embeds, routed to `provider` alone."""
    answered = await scene.running.call("POST", "/v1/embeddings", {}, key=scene.key)
    if answered.status == 404:
        pytest.skip("/v1/embeddings is not there")
    model = {"openai": "text-embedding-3-small", "mistral": "mistral-embed"}[provider]
    targets = [{"provider": provider, "model": model}]
    defined = await scene.running.call("PUT", f"/api/routes/{model}", {"targets": targets})
    assert defined.status == 200, defined
    return model


async def limited_key(scene: Scene) -> str:
    """A key whose one request a minute has been made."""
    key = await scene.running.new_key(requests_per_minute=1)
    saved = {"virtualKey": key, "openaiKey": OPENAI_SECRET}
    await scene.running.call("POST", "/api/save-keys", saved)
    assert (await scene.running.chat(key)).status == 200
    return key


def both_fail(scene: Scene) -> None:
    scene.openai.fail(status=500)
    scene.mistral.fail(status=503)


async def assert_settled_once(scene: Scene) -> None:
    """The provider was hung up on, and the call stands in the ledger, once."""
    await scene.openai.seen[0].wait_for_hang_up()
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "client_cancelled"
    assert entry["estimated"]


def waits_about_a_minute(headers: Any) -> bool:
    return 50 <= int(headers["retry-after"]) <= 61
