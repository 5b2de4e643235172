"""Kinds of servers that speak OpenAI's format, behind a running gateway: their facts, at addresses
where doubles stand."""

from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
from aiohttp import web

from gateway_fixtures import Answered, Scene
from one_provider import WEATHER, text_of, whole_calls
from upstreams.anthropic import AnthropicUpstream
from upstreams.compatible import DeepSeekUpstream, OllamaUpstream
from upstreams.turn import Turn

MESSAGES = [{"role": "user", "content": "one two three"}]


async def define(scene: Scene, kind: str, base_url: str, secret: str | None = None) -> None:
    """A provider named `it`, and a route to its model `m`."""
    provider = {"kind": kind, "base_url": base_url, "needs_credential": secret is not None}
    defined = await scene.running.call("PUT", "/api/providers/it", provider)
    assert defined.status == 200, defined
    if secret is not None:
        await scene.running.call("PUT", "/api/providers/it/credential", {"secret": secret})
    route = {"targets": [{"provider": "it", "model": "m"}]}
    assert (await scene.running.call("PUT", "/api/routes/it", route)).status == 200


@pytest.mark.shows("Messages")
@pytest.mark.parametrize("kind", ["vllm", "ollama"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_a_server_that_speaks_messages_is_sent_them_as_they_came(
    scene: Scene, kind: str, stream: bool
) -> None:
    body = {
        "model": "it",
        "max_tokens": 50,
        "messages": MESSAGES,
        "stop_sequences": ["five"],
        "stream": stream,
    }
    async with AnthropicUpstream() as server:
        await define(scene, kind, server.base_url)
        answered = await scene.running.call("POST", "/v1/messages", body, key=scene.key)
        assert answered.status == 200, answered
        (seen,) = server.seen
    assert seen.path == "/v1/messages"
    assert seen.body == {**body, "model": "m"}
    assert "x-langroute-dropped" not in answered.headers
    if stream:
        assert answered.body.startswith("event: message_start\n")
        assert answered.body.rstrip().endswith('{"type":"message_stop"}')
    else:
        assert answered.body["content"] == [{"type": "text", "text": "You said: one two three"}]
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["estimated"]) == ("succeeded", False)
    assert entry["usage"]["output"] + entry["usage"]["reasoning"] > 0


@pytest.mark.shows("Messages", provider="together")
async def test_messages_are_translated_for_a_server_that_does_not_speak_them(scene: Scene) -> None:
    await define(scene, "together", scene.openai.base_url, str(scene.openai.credential))
    body = {"model": "it", "max_tokens": 50, "messages": MESSAGES}
    answered = await scene.running.call("POST", "/v1/messages", body, key=scene.key)
    assert answered.status == 200, answered
    assert [block["text"] for block in answered.body["content"]] == ["You said: one two three"]
    assert scene.openai.seen[0].path == "/v1/chat/completions"


CONVERSATION = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": "one two three four five"},
]


def chunks_of(answered: Answered) -> list[Any]:
    assert answered.status == 200, answered
    lines = [line[6:] for line in answered.body.split("\n") if line.startswith("data: ")]
    return [orjson.loads(line) for line in lines if line != "[DONE]"]


def reasoning_of(chunks: list[Any]) -> str:
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    return "".join(delta.get("reasoning_content") or "" for delta in deltas)


@pytest.fixture
async def deepseek(scene: Scene) -> AsyncIterator[DeepSeekUpstream]:
    async with DeepSeekUpstream(credential="ds-secret") as deepseek:
        await define(scene, "deepseek", deepseek.base_url, "ds-secret")
        yield deepseek


@pytest.mark.shows("chat", "reasoning", provider="deepseek")
async def test_deepseek_s_cache_is_counted_and_a_developer_speaks_as_the_system(
    scene: Scene, deepseek: DeepSeekUpstream
) -> None:
    deepseek.will(Turn(text="Ho", reasoning="Hm."))
    answered = await scene.chat(model="it", messages=CONVERSATION, max_completion_tokens=20)
    assert answered.status == 200, answered
    message = answered.body["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("Ho", "Hm.")
    (seen,) = deepseek.seen
    assert [message["role"] for message in seen.body["messages"]] == ["system", "user"]
    assert seen.body["max_tokens"] == 20
    usage = answered.body["usage"]
    cached = usage["prompt_cache_hit_tokens"]
    assert usage["prompt_tokens_details"] == {"cached_tokens": cached}
    assert cached > 0
    (entry,) = await scene.running.entries()
    assert entry["usage"]["cached_input"] == cached
    assert entry["usage"]["input"] == usage["prompt_tokens"] - cached
    assert entry["usage"]["reasoning"] > 0


@pytest.mark.shows("stream", "usage in streams", provider="deepseek")
async def test_deepseek_streams_what_it_thinks_and_what_it_had_in_its_cache(
    scene: Scene, deepseek: DeepSeekUpstream
) -> None:
    deepseek.will(Turn(text="Ho ho", reasoning="Hm."))
    options = {"include_usage": True}
    chunks = chunks_of(
        await scene.chat(model="it", messages=CONVERSATION, stream=True, stream_options=options)
    )
    assert (text_of(chunks), reasoning_of(chunks)) == ("Ho ho", "Hm.")
    usage = chunks[-1]["usage"]
    cached = usage["prompt_cache_hit_tokens"]
    assert usage["prompt_tokens_details"] == {"cached_tokens": cached}
    (entry,) = await scene.running.entries()
    assert (entry["usage"]["cached_input"], entry["estimated"]) == (cached, False)


@pytest.mark.shows("tools", "typed errors", provider="deepseek")
async def test_deepseek_is_given_back_what_it_thought_before_it_called_a_tool(
    scene: Scene, deepseek: DeepSeekUpstream
) -> None:
    weather = {"name": "weather", "arguments": '{"city": "Rome"}'}
    call = {"id": "call_1", "type": "function", "function": weather}
    deepseek.will(Turn(tool_calls=[call], reasoning="Hm."))
    asked = [{"role": "user", "content": "Is it warm?"}]
    first = await scene.chat(model="it", messages=asked, tools=[WEATHER])
    message = first.body["choices"][0]["message"]
    assert whole_calls(message) == [("weather", {"city": "Rome"})]
    assert message["reasoning_content"] == "Hm."
    result = {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"}
    second = await scene.chat(model="it", messages=[*asked, message, result], tools=[WEATHER])
    assert second.status == 200, second
    assert deepseek.seen[1].body["messages"][1]["reasoning_content"] == "Hm."
    del message["reasoning_content"]
    third = await scene.chat(model="it", messages=[*asked, message, result], tools=[WEATHER])
    assert (third.status, third.body["error"]["type"]) == (400, "invalid_request_error")
    assert "must be passed back" in third.body["error"]["message"]


@pytest.fixture
async def ollama(scene: Scene) -> AsyncIterator[OllamaUpstream]:
    async with OllamaUpstream() as ollama:
        await define(scene, "ollama", ollama.base_url)
        yield ollama


@pytest.mark.shows("chat", provider="ollama")
async def test_ollama_obeys_a_cap_under_the_name_that_it_reads(
    scene: Scene, ollama: OllamaUpstream
) -> None:
    answered = await scene.chat(
        model="it", messages=CONVERSATION, max_completion_tokens=6, tool_choice="required"
    )
    assert answered.status == 200, answered
    choice = answered.body["choices"][0]
    assert (choice["message"]["content"], choice["finish_reason"]) == ("You said:", "length")
    assert answered.headers["x-langroute-dropped"] == "tool_choice"
    (seen,) = ollama.seen
    assert seen.body["max_tokens"] == 6
    assert not {"max_completion_tokens", "tool_choice"} & seen.body.keys()
    assert [message["role"] for message in seen.body["messages"]] == ["system", "user"]
    (entry,) = await scene.running.entries()
    assert (entry["usage"]["output"], entry["estimated"]) == (6, False)


@pytest.mark.shows("reasoning", "stream", "usage in streams", provider="ollama")
async def test_ollama_s_reasoning_comes_and_goes_back_under_its_own_name(
    scene: Scene, ollama: OllamaUpstream
) -> None:
    ollama.will(Turn(text="Ho", reasoning="Hm."), times=2)
    whole = await scene.chat(model="it", messages=CONVERSATION)
    message = whole.body["choices"][0]["message"]
    assert (message["content"], message["reasoning_content"]) == ("Ho", "Hm.")
    assert "reasoning" not in message
    history = [*CONVERSATION, message, {"role": "user", "content": "Go on."}]
    options = {"include_usage": True}
    chunks = chunks_of(
        await scene.chat(model="it", messages=history, stream=True, stream_options=options)
    )
    assert (text_of(chunks), reasoning_of(chunks)) == ("Ho", "Hm.")
    assert chunks[-1]["usage"]["total_tokens"] > 0
    given_back = ollama.seen[1].body["messages"][2]
    assert given_back["reasoning"] == "Hm."
    assert "reasoning_content" not in given_back


class Azure:
    """As much of Azure as the older form of its address has."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []
        self.base_url = ""

    async def answer(self, request: web.Request) -> web.Response:
        if request.headers.get("api-key") != "az-secret" or "Authorization" in request.headers:
            error = {"code": "401", "message": "Access denied due to invalid subscription key."}
            return web.json_response({"error": error}, status=401)
        if request.query.getall("api-version") != ["2024-10-21"]:
            error = {"code": "404", "message": "Resource not found"}
            return web.json_response({"error": error}, status=404)
        self.seen.append((request.path, orjson.loads(await request.read())))
        message = {"role": "assistant", "content": "Ho", "refusal": None}
        choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
        usage = {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6}
        head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt"}
        return web.json_response({**head, "choices": [choice], "usage": usage})


@pytest.fixture
async def azure() -> AsyncIterator[Azure]:
    azure = Azure()
    app = web.Application()
    app.router.add_post("/openai/deployments/{name}/chat/completions", azure.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        azure.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield azure
    finally:
        await runner.cleanup()


@pytest.mark.shows("chat", provider="azure")
async def test_a_deployment_at_azure_answers(scene: Scene, azure: Azure) -> None:
    await define(scene, "azure", azure.base_url, "az-secret")
    answered = await scene.chat(model="it", max_tokens=9, user="ann")
    assert answered.status == 200, answered
    assert answered.body["choices"][0]["message"]["content"] == "Ho"
    ((path, body),) = azure.seen
    assert path == "/openai/deployments/m/chat/completions"
    assert (body["max_completion_tokens"], body["user"]) == (9, "ann")
    assert "max_tokens" not in body


@pytest.mark.shows("typed errors", provider="azure")
async def test_a_wrong_key_at_azure_is_the_operator_s_trouble(scene: Scene, azure: Azure) -> None:
    await define(scene, "azure", azure.base_url, "another-secret")
    answered = await scene.chat(model="it")
    assert answered.status == 502
    assert "Access denied" in answered.body["error"]["message"]
    assert "another-secret" not in str(answered)


async def test_a_version_of_azure_s_may_stand_in_the_address(scene: Scene, azure: Azure) -> None:
    await define(scene, "azure", f"{azure.base_url}?api-version=2025-04-01-preview", "az-secret")
    answered = await scene.chat(model="it")
    assert answered.status == 502
    assert "Resource not found" in answered.body["error"]["message"], "it is another version's"
    await define(scene, "azure", f"{azure.base_url}?api-version=2024-10-21", "az-secret")
    assert (await scene.chat(model="it")).status == 200


async def test_a_kind_that_nobody_knows_fails_when_it_is_called_and_not_before(
    scene: Scene,
) -> None:
    await define(scene, "vllm", scene.openai.base_url)
    async with scene.running.container.database().writing() as connection:
        await connection.exec_driver_sql(
            "update langroute.providers set kind = 'smoke' where name = 'it'"
        )
    await scene.running.gateway.define_provider.catalogue.refresh()
    listed = (await scene.running.call("GET", "/api/providers")).body["data"]
    assert "smoke" in {provider["kind"] for provider in listed}
    answered = await scene.chat(model="it")
    assert (answered.status, answered.body["error"]["code"]) == (502, "provider_undefined")
