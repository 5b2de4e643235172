"""From a provider that speaks the caller's format itself to one that does not, and back: whoever
answers, the caller reads its own format."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from event_streams import without_comments
from gateway_fixtures import Answered, Scene
from upstreams.anthropic import AnthropicUpstream

SECRET = "sk-ant-the-anthropic-secret"
HELLO = {"role": "user", "content": "Hello there"}
CLAUDE, GPT = "claude/claude-sonnet-4-5", "openai/gpt-4o-mini"
BODY = {"model": "either", "max_tokens": 50, "messages": [HELLO], "top_k": 5}

STREAMED = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])


@pytest.fixture
async def claude(scene: Scene) -> AsyncIterator[AnthropicUpstream]:
    async with AnthropicUpstream(credential=SECRET) as claude:
        for path, body in [
            ("/api/providers/claude", {"kind": "anthropic", "base_url": claude.base_url}),
            ("/api/providers/claude/credential", {"secret": SECRET}),
        ]:
            assert (await scene.running.call("PUT", path, body)).status == 200
        yield claude


async def ask(scene: Scene, *targets: str, **fields: Any) -> Answered:
    told = [
        {"provider": target.split("/")[0], "model": target.split("/")[1], "order": order}
        for order, target in enumerate(targets)
    ]
    route = await scene.running.call("PUT", "/api/routes/either", {"targets": told})
    assert route.status == 200, route
    return await scene.running.call("POST", "/v1/messages", {**BODY, **fields}, key=scene.key)


def text_of(answered: Answered) -> str:
    """What an answer in Anthropic's format says, whole or streamed."""
    if isinstance(answered.body, dict):
        assert answered.body["type"] == "message"
        return "".join(block["text"] for block in answered.body["content"])
    events = [
        event.split("\ndata: ") for event in without_comments(answered.body).split("\n\n") if event
    ]
    told = [(name.removeprefix("event: "), orjson.loads(data)) for name, data in events]
    assert all(name == data["type"] for name, data in told)
    assert told[0][0] == "message_start"
    assert told[-1][0] == "message_stop"
    deltas = (data["delta"] for name, data in told if name == "content_block_delta")
    return "".join(delta["text"] for delta in deltas)


@STREAMED
async def test_a_translation_stands_in_for_the_callers_own_format(
    scene: Scene, claude: AnthropicUpstream, stream: bool
) -> None:
    claude.fail(status=529)
    answered = await ask(scene, CLAUDE, GPT, stream=stream)
    assert answered.status == 200, answered
    assert text_of(answered) == "You said: Hello there"
    assert answered.headers["x-langroute-attempts"] == f"{CLAUDE}=529, {GPT}=ok"
    assert answered.headers["x-langroute-dropped"] == "top_k"
    assert claude.seen[0].body["top_k"] == 5
    assert "top_k" not in scene.openai.seen[0].body
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["provider"], entry["attempts"]) == ("succeeded", "openai", 2)


@STREAMED
async def test_the_callers_own_format_stands_in_for_a_translation(
    scene: Scene, claude: AnthropicUpstream, stream: bool
) -> None:
    scene.openai.cut()
    answered = await ask(scene, GPT, CLAUDE, stream=stream)
    assert answered.status == 200, answered
    assert text_of(answered) == "You said: Hello there"
    assert answered.headers["x-langroute-attempts"] == f"{GPT}=unreachable, {CLAUDE}=ok"
    assert "x-langroute-dropped" not in answered.headers
    assert claude.seen[0].body["top_k"] == 5
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["provider"]) == ("succeeded", "claude")


async def test_a_stream_that_fails_before_its_first_event_is_answered_by_another(
    scene: Scene, claude: AnthropicUpstream
) -> None:
    claude.break_off(after_events=0)
    answered = await ask(scene, CLAUDE, GPT, stream=True)
    assert text_of(answered) == "You said: Hello there"
    assert answered.headers["x-langroute-provider"] == "openai"


async def test_when_nobody_answers_it_is_told_in_the_callers_format(
    scene: Scene, claude: AnthropicUpstream
) -> None:
    claude.fail(status=529)
    scene.openai.fail(status=503, message="Out to lunch.")
    answered = await ask(scene, CLAUDE, GPT)
    assert answered.status == 503
    assert answered.body["type"] == "error"
    assert answered.body["error"]["type"] == "overloaded_error"
    assert "Out to lunch." in answered.body["error"]["message"]
    assert SECRET not in str(answered)
