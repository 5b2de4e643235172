"""OpenAI's library for JavaScript, and Vercel's AI SDK, on Node."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from asked import (
    FROM_EACH_PROVIDER,
    OF_EACH_PROVIDER,
    SAID,
    VECTORS,
    assert_settled_once,
    both_fail,
    double_of,
    embedding_model,
    limited_key,
    tool_results,
    will_call_weather,
)

from gateway_fixtures import Scene
from javascript import LOOPBACK_NODE, installed
from processes import ran

_SCRIPTS = Path(__file__).parent / "node"
_WAYS = ["compatible", "chat", "responses"]
OVER_EACH_WAY = pytest.mark.parametrize("way", _WAYS)


@pytest.fixture(scope="session")
async def node_folder(pytestconfig: pytest.Config) -> Path:
    return await installed(pytestconfig, _SCRIPTS)


async def ask(
    folder: Path,
    scene: Scene,
    library: str,
    case: str,
    model: str = "gpt-4o-mini",
    *,
    key: str | None = None,
    way: str = "",
) -> Any:
    code, out, complaint = await ran(
        *LOOPBACK_NODE,
        *("run.mjs", library, case, model),
        cwd=folder,
        GATEWAY_URL=scene.running.url,
        GATEWAY_KEY=key or scene.key,
        WAY=way,
    )
    assert code == 0, complaint
    return orjson.loads(out)


@pytest.mark.shows("chat", "stream", "usage in streams", client="OpenAI (JavaScript)")
@OF_EACH_PROVIDER
async def test_openais_library_chats_and_streams(
    node_folder: Path, scene: Scene, model: str
) -> None:
    whole = await ask(node_folder, scene, "openai", "chat", model)
    streamed = await ask(node_folder, scene, "openai", "stream", model)
    assert (whole["text"], whole["finish"]) == (SAID, "stop")
    assert streamed["text"] == SAID
    assert streamed["usage"]["total_tokens"] == whole["usage"]["total_tokens"] > 0


@pytest.mark.shows("tools", "tools in streams", client="OpenAI (JavaScript)")
@OF_EACH_PROVIDER
@pytest.mark.parametrize("case", ["tool", "streamed_tool"])
async def test_openais_library_calls_a_tool(
    node_folder: Path, scene: Scene, model: str, case: str
) -> None:
    double = will_call_weather(scene, model)
    assert await ask(node_folder, scene, "openai", case, model) == {
        "name": "weather",
        "arguments": {"city": "Paris"},
        "text": "It is sunny in Paris.",
    }
    assert tool_results(double) == ["Sunny in Paris"]


@pytest.mark.shows("JSON schema", client="OpenAI (JavaScript)")
@OF_EACH_PROVIDER
async def test_openais_library_reads_an_object(node_folder: Path, scene: Scene, model: str) -> None:
    double_of(scene, model).say('{"name": "Paris"}')
    assert await ask(node_folder, scene, "openai", "object", model) == {"name": "Paris"}


@pytest.mark.shows("models", client="OpenAI (JavaScript)")
async def test_openais_library_lists_models(node_folder: Path, scene: Scene) -> None:
    names = await ask(node_folder, scene, "openai", "models")
    assert {"gpt-4o-mini", "mistral-small-latest"} <= set(names)


@pytest.mark.shows("embeddings", client="OpenAI (JavaScript)")
@FROM_EACH_PROVIDER
async def test_openais_library_embeds(node_folder: Path, scene: Scene, provider: str) -> None:
    model = await embedding_model(scene, provider)
    assert await ask(node_folder, scene, "openai", "embed", model) == VECTORS


@pytest.mark.shows("typed errors", "waits told", client="OpenAI (JavaScript)")
async def test_openais_library_types_errors(node_folder: Path, scene: Scene) -> None:
    limited = await limited_key(scene)
    both_fail(scene)
    told = [
        await ask(node_folder, scene, "openai", "failure", model, key=key)
        for model, key in [
            ("gpt-4o-mini", "invalid"),
            ("no-such-model", None),
            ("gpt-4o-mini", limited),
            ("gpt-4o-mini", None),
        ]
    ]
    assert [(one["kind"], one["status"]) for one in told] == [
        ("AuthenticationError", 401),
        ("BadRequestError", 400),
        ("RateLimitError", 429),
        ("InternalServerError", 503),
    ]
    assert 40 <= int(told[2]["wait"]) <= 61


@pytest.mark.shows("leaving", client="OpenAI (JavaScript)")
async def test_leaving_a_stream_stops_the_provider_and_settles_once(
    node_folder: Path, scene: Scene
) -> None:
    scene.openai.hang(after_events=2)
    assert await ask(node_folder, scene, "openai", "leave")
    await assert_settled_once(scene)


@pytest.mark.shows("chat", "stream", "usage in streams", client="AI SDK, {way}")
@OVER_EACH_WAY
@OF_EACH_PROVIDER
async def test_the_ai_sdk_chats_and_streams(
    node_folder: Path, scene: Scene, model: str, way: str
) -> None:
    whole = await ask(node_folder, scene, "ai", "chat", model, way=way)
    assert whole == {"text": SAID, "finish": "stop", "spent": True}
    streamed = await ask(node_folder, scene, "ai", "stream", model, way=way)
    assert (streamed["text"], streamed["spent"]) == (SAID, True)
    assert streamed["pieces"] > 1


@pytest.mark.shows("tools", "tools in streams", client="AI SDK, {way}")
@OVER_EACH_WAY
@OF_EACH_PROVIDER
async def test_the_ai_sdk_calls_a_tool(
    node_folder: Path, scene: Scene, model: str, way: str
) -> None:
    double = will_call_weather(scene, model)
    assert await ask(node_folder, scene, "ai", "tool", model, way=way) == {
        "text": "It is sunny in Paris.",
        "name": "weather",
        "input": {"city": "Paris"},
        "output": "Sunny in Paris",
    }
    assert tool_results(double) == ["Sunny in Paris"]
    double = will_call_weather(scene, model)
    streamed = await ask(node_folder, scene, "ai", "streamed_tool", model, way=way)
    assert streamed["text"] == "It is sunny in Paris."
    assert tool_results(double) == ["Sunny in Paris"]


@pytest.mark.shows("JSON schema", client="AI SDK, {way}")
@OVER_EACH_WAY
async def test_the_ai_sdk_reads_an_object(node_folder: Path, scene: Scene, way: str) -> None:
    scene.openai.say('{"name": "Paris"}')
    assert await ask(node_folder, scene, "ai", "object", way=way) == {"name": "Paris"}


@pytest.mark.shows("embeddings", client="AI SDK, {way}")
@pytest.mark.parametrize("way", ["compatible", "chat"])
async def test_the_ai_sdk_embeds(node_folder: Path, scene: Scene, way: str) -> None:
    model = await embedding_model(scene, "openai")
    assert await ask(node_folder, scene, "ai", "embed", model, way=way) == VECTORS


@pytest.mark.shows("typed errors", "waits told", client="AI SDK, {way}")
@OVER_EACH_WAY
async def test_the_ai_sdk_types_errors(node_folder: Path, scene: Scene, way: str) -> None:
    limited = await limited_key(scene)
    both_fail(scene)
    told = [
        await ask(node_folder, scene, "ai", "failure", model, key=key, way=way)
        for model, key in [
            ("gpt-4o-mini", "invalid"),
            ("no-such-model", None),
            ("gpt-4o-mini", limited),
            ("gpt-4o-mini", None),
        ]
    ]
    assert all(one["typed"] for one in told)
    assert [one["status"] for one in told] == [401, 400, 429, 503]
    assert 40 <= int(told[2]["wait"]) <= 61
