"""Anthropic's official client, unmodified, pointed at the gateway: with every provider."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anthropic
import orjson
import pytest
from anthropic import AsyncAnthropic, beta_async_tool

from every_upstream import MODELS as MODELS_OF
from every_upstream import OF_EACH_PROVIDER, EveryUpstream
from gateway_fixtures import RunningGateway, Scene
from langroute.domain.usage import TokenUsage
from upstreams.anthropic import AnthropicUpstream
from upstreams.turn import Turn

HELLO = {"role": "user", "content": "Hello there"}
MODELS = ["gpt-4o-mini", "mistral-small-latest"]
WEATHER = {
    "name": "weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
CLAUDE_SECRET = "sk-ant-the-anthropic-secret"


def client_of(scene: Scene | EveryUpstream, key: str | None = None, *, retries: int = 0) -> Any:
    """Untyped: the tests are of what it does, and send what its types would not let through."""
    return AsyncAnthropic(base_url=scene.running.url, api_key=key or scene.key, max_retries=retries)


def calls_of(model: str) -> list[dict[str, Any]]:
    """Two tool calls, with ids as the provider of this model makes them."""
    ids = ["call_abc123", "call_def456"] if model.startswith("gpt") else ["abcdefghi", "jklmnopqr"]
    return [
        {
            "id": call_id,
            "type": "function",
            "function": {"name": "weather", "arguments": f'{{"city": "{city}"}}'},
        }
        for call_id, city in zip(ids, ["Paris", "Rome"], strict=True)
    ]


def upstream_of(scene: Scene, model: str) -> Any:
    return scene.openai if model.startswith("gpt") else scene.mistral


def kind_of(error: anthropic.APIStatusError) -> str:
    body: Any = error.body
    return str(body["error"]["type"])


async def asked(client: Any, *, stream: bool, **fields: Any) -> Any:
    """The message, whole; a stream's is put together by the client."""
    fields = {"max_tokens": 100, "messages": [HELLO], **fields}
    if not stream:
        return await client.messages.create(**fields)
    async with client.messages.stream(**fields) as events:
        return await events.get_final_message()


both_ways = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
every_model = pytest.mark.parametrize("model", MODELS)


@pytest.mark.shows("Messages")
@pytest.mark.shows("chat", "stream", client="Anthropic (Python)")
@both_ways
@every_model
async def test_chats_with_every_provider(scene: Scene, model: str, stream: bool) -> None:
    async with client_of(scene) as client:
        message = await asked(client, stream=stream, model=model, system="Be brief.")
    assert message.type == "message"
    assert message.role == "assistant"
    assert message.id.startswith("msg_")
    assert [(block.type, block.text) for block in message.content] == [
        ("text", "You said: Hello there")
    ]
    assert message.stop_reason == "end_turn"
    (sent,) = upstream_of(scene, model).seen
    assert sent.body["messages"] == [{"role": "system", "content": "Be brief."}, HELLO]
    assert sent.output_cap == 100


@pytest.mark.shows("usage in streams", client="Anthropic (Python)")
@both_ways
@every_model
async def test_usage_is_what_the_ledger_has(scene: Scene, model: str, stream: bool) -> None:
    async with client_of(scene) as client:
        message = await asked(client, stream=stream, model=model, system="Be brief, and kind.")
    (entry,) = await scene.running.entries()
    usage, booked = message.usage, TokenUsage(**entry["usage"])
    assert usage.cache_read_input_tokens == booked.cached_input > 0
    assert usage.input_tokens == booked.input > 0
    assert usage.output_tokens == booked.completion_tokens > 0
    assert entry["outcome"] == "succeeded"
    assert not entry["estimated"]
    assert entry["streamed"] is stream


@pytest.mark.shows("tools", "tools in streams", client="Anthropic (Python)")
@both_ways
@every_model
async def test_tools_are_called_and_answered(scene: Scene, model: str, stream: bool) -> None:
    calls = calls_of(model)
    upstream_of(scene, model).say("", tool_calls=calls)
    async with client_of(scene) as client:
        tools = {"model": model, "tools": [WEATHER], "tool_choice": {"type": "any"}}
        message = await asked(client, stream=stream, **tools)
        assert message.stop_reason == "tool_use"
        assert [(block.type, block.id, block.input) for block in message.content] == [
            ("tool_use", calls[0]["id"], {"city": "Paris"}),
            ("tool_use", calls[1]["id"], {"city": "Rome"}),
        ]
        results = [
            {"type": "tool_result", "tool_use_id": block.id, "content": "Sunny"}
            for block in message.content
        ]
        answer = {"role": "user", "content": [*results, {"type": "text", "text": "Well?"}]}
        said = {"role": "assistant", "content": message.content}
        message = await asked(
            client, stream=stream, model=model, tools=[WEATHER], messages=[HELLO, said, answer]
        )
    assert message.content[0].text == "You said: Well?"
    _, sent = upstream_of(scene, model).seen
    assert sent.body["tools"][0]["function"]["name"] == "weather"
    told = [m for m in sent.body["messages"] if m["role"] == "tool"]
    assert [m["tool_call_id"] for m in told] == [call["id"] for call in calls]


async def test_parallel_calls_that_are_told_in_turns_come_one_after_the_other(
    scene: Scene,
) -> None:
    first, second = calls_of("gpt")

    def told(index: int, call: dict[str, Any], half: int) -> dict[str, Any]:
        arguments = call["function"]["arguments"]
        piece = arguments[:6] if half == 0 else arguments[6:]
        named = {"id": call["id"], "type": "function"} if half == 0 else {}
        name = {"name": "weather"} if half == 0 else {}
        return {"index": index, **named, "function": {**name, "arguments": piece}}

    deltas = [
        {"role": "assistant", "content": "I look."},
        {"tool_calls": [told(0, first, 0)]},
        {"tool_calls": [told(1, second, 0)]},
        {"tool_calls": [told(0, first, 1), told(1, second, 1)]},
    ]
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    chunks = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    chunks.append({"index": 0, "delta": {}, "finish_reason": "tool_calls"})
    raw = [b"data: " + orjson.dumps({**head, "choices": [c]}) + b"\n\n" for c in chunks]
    scene.openai.say("", raw=[*raw, b"data: [DONE]\n\n"])
    async with client_of(scene) as client:
        message = await asked(client, stream=True, model="gpt-4o-mini", tools=[WEATHER])
    assert message.content[0].text == "I look."
    assert [block.input for block in message.content[1:]] == [{"city": "Paris"}, {"city": "Rome"}]


@pytest.mark.shows("reasoning", client="Anthropic (Python)")
@both_ways
@every_model
async def test_thoughts_are_a_block_of_their_own(scene: Scene, model: str, stream: bool) -> None:
    upstream_of(scene, model).say("Yes.", reasoning="Hm.")
    async with client_of(scene) as client:
        message = await asked(client, stream=stream, model=model)
        thought, text = message.content
        assert (thought.type, thought.thinking) == ("thinking", "Hm.")
        assert text.text == "Yes."
        said = {"role": "assistant", "content": message.content}
        await asked(client, stream=stream, model=model, messages=[HELLO, said, HELLO])
    assert "thinking_blocks" not in upstream_of(scene, model).seen[-1].body["messages"][1]


@pytest.mark.shows("vision", client="Anthropic (Python)")
async def test_pictures_reach_the_provider(scene: Scene) -> None:
    source = {"type": "base64", "media_type": "image/png", "data": "aGk=" * 50_000}
    content = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": source}]
    async with client_of(scene) as client:
        message = await asked(
            client,
            stream=False,
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": content}],
        )
    assert message.content[0].text == "You said: What is it?"
    (sent,) = scene.openai.seen
    url = f"data:image/png;base64,{source['data']}"
    assert sent.body["messages"][0]["content"][1] == {
        "type": "image_url",
        "image_url": {"url": url},
    }


async def test_an_answer_that_is_cut_says_so(scene: Scene) -> None:
    async with client_of(scene) as client:
        message = await asked(client, stream=False, model="gpt-4o-mini", max_tokens=6)
    assert message.stop_reason == "max_tokens"


async def test_what_is_lost_in_translation_is_named(scene: Scene) -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    async with client_of(await scene.without_token_limit()) as client:
        answered = await client.messages.with_raw_response.create(
            model="gpt-4o-mini",
            max_tokens=9,
            messages=[HELLO],
            tools=[search],
            extra_body={"top_k": 5},
        )
    dropped = set(answered.headers["x-langroute-dropped"].split(", "))
    assert dropped == {"top_k", "tools.web_search_20250305"}
    assert "tools" not in scene.openai.seen[0].body


async def test_the_calls_id_is_where_the_client_looks_for_it(scene: Scene) -> None:
    async with client_of(scene) as client:
        answered = await client.messages.with_raw_response.create(
            model="gpt-4o-mini", max_tokens=100, messages=[HELLO]
        )
    assert answered.headers["request-id"] == answered.headers["x-request-id"]
    assert (await answered.parse())._request_id == answered.headers["request-id"]
    (entry,) = await scene.running.entries()
    assert entry["request_id"] == answered.headers["request-id"]


@pytest.mark.shows("typed errors", client="Anthropic (Python)")
@pytest.mark.parametrize(
    ("key", "fields", "error", "kind"),
    [
        ("invalid", {}, anthropic.AuthenticationError, "authentication_error"),
        (None, {"model": "none"}, anthropic.BadRequestError, "not_found_error"),
        (None, {"max_tokens": 0}, anthropic.BadRequestError, "invalid_request_error"),
        (None, {"messages": []}, anthropic.BadRequestError, "invalid_request_error"),
    ],
)
@both_ways
async def test_errors_are_typed(
    scene: Scene, key: str | None, fields: Any, error: Any, kind: str, stream: bool
) -> None:
    async with client_of(scene, key) as client:
        with pytest.raises(error) as caught:
            await asked(client, stream=stream, **{"model": "gpt-4o-mini", **fields})
    body = caught.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    assert caught.value.request_id == body["request_id"]
    assert caught.value.request_id.startswith("req_")
    assert scene.openai.seen == []


async def test_a_key_that_may_not_use_the_model_is_refused(scene: Scene) -> None:
    key = await scene.running.new_key(allowed_models=["mistral-small-latest"])
    async with client_of(scene, key) as client:
        with pytest.raises(anthropic.PermissionDeniedError) as caught:
            await asked(client, stream=False, model="gpt-4o-mini")
    assert kind_of(caught.value) == "permission_error"


@pytest.mark.shows("waits told", client="Anthropic (Python)")
async def test_a_limited_client_is_told_when_to_come_back(scene: Scene) -> None:
    key = await scene.running.new_key(requests_per_minute=1)
    await scene.running.call(
        "POST", "/api/save-keys", {"virtualKey": key, "openaiKey": scene.openai.credential}
    )
    async with client_of(scene, key) as client:
        await asked(client, stream=False, model="gpt-4o-mini")
        with pytest.raises(anthropic.RateLimitError) as caught:
            await asked(client, stream=False, model="gpt-4o-mini")
    assert kind_of(caught.value) == "rate_limit_error"
    assert 0 < int(caught.value.response.headers["retry-after"]) <= 61


@pytest.mark.parametrize(("status", "kind"), [(500, "api_error"), (529, "overloaded_error")])
@both_ways
async def test_a_failing_provider_is_an_error_that_the_client_understands(
    scene: Scene, status: int, kind: str, stream: bool
) -> None:
    scene.openai.fail(status=status)
    scene.mistral.fail(status=status)
    async with client_of(scene) as client:
        with pytest.raises(anthropic.InternalServerError) as caught:
            await asked(client, stream=stream, model="gpt-4o-mini")
    assert kind_of(caught.value) == kind


@pytest.mark.shows("broken streams", client="Anthropic (Python)")
async def test_a_stream_that_breaks_off_raises(scene: Scene) -> None:
    scene.openai.cut(after_events=3)
    async with client_of(scene) as client:
        with pytest.raises(anthropic.APIStatusError) as caught:
            await asked(client, stream=True, model="gpt-4o-mini")
    assert kind_of(caught.value) == "api_error"
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "broken_off"


@pytest.mark.shows("leaving", client="Anthropic (Python)")
async def test_leaving_a_stream_stops_the_provider_and_settles_once(scene: Scene) -> None:
    scene.openai.hang(after_events=3)
    async with client_of(scene) as client:
        stream = await client.messages.create(
            model="gpt-4o-mini", max_tokens=100, messages=[HELLO], stream=True
        )
        kinds = [(await anext(aiter(stream))).type for _ in range(3)]
        await stream.close()
    assert kinds == ["message_start", "content_block_start", "content_block_delta"]
    await scene.openai.seen[0].wait_for_hang_up()
    await scene.running.entries()
    scene.openai.say("Again.")
    async with client_of(scene) as client:
        await asked(client, stream=False, model="gpt-4o-mini")
    entries = await scene.running.entries(2)
    assert sorted(entry["outcome"] for entry in entries) == ["client_cancelled", "succeeded"]


@pytest.mark.parametrize("path", ["/messages", "/v1/messages", "/v1/messages?beta=true"])
async def test_every_path_and_either_header_will_do(scene: Scene, path: str) -> None:
    body = {"model": "gpt-4o-mini", "max_tokens": 100, "messages": [HELLO]}
    answered = await scene.running.call("POST", path, body, key=scene.key)
    assert answered.status == 200, answered
    assert answered.body["type"] == "message"
    headers = {"x-api-key": scene.key}
    async with scene.running.http.post(path, json=body, headers=headers) as response:
        assert response.status == 200
        assert response.headers["request-id"].startswith("req_")


# Counting.


@pytest.mark.shows("token counts", client="Anthropic (Python)")
async def test_tokens_are_estimated_for_nothing(scene: Scene) -> None:
    async with client_of(scene) as client:
        short = await client.messages.count_tokens(model="gpt-4o-mini", messages=[HELLO])
        long = await client.messages.count_tokens(
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": "Hello there " * 1000}],
            system="Be brief.",
            tools=[WEATHER],
        )
    assert 2 <= short.input_tokens <= 40
    assert 2_000 < long.input_tokens < 4_000
    assert scene.openai.seen == []
    assert (await scene.running.call("GET", "/api/ledger")).body["data"] == []


@pytest.mark.parametrize(
    ("key", "fields", "error"),
    [
        ("invalid", {}, anthropic.AuthenticationError),
        (None, {"model": "none"}, anthropic.BadRequestError),
        (None, {"messages": []}, anthropic.BadRequestError),
    ],
)
async def test_counting_is_refused_as_chats_are(
    scene: Scene, key: str | None, fields: Any, error: Any
) -> None:
    asked_for = {"model": "gpt-4o-mini", "messages": [HELLO], **fields}
    async with client_of(scene, key) as client:
        with pytest.raises(error) as caught:
            await client.messages.count_tokens(**asked_for)
    assert caught.value.body["type"] == "error"
    assert caught.value.request_id == caught.value.body["request_id"]


# With Anthropic itself behind the gateway, nothing is translated.


@asynccontextmanager
async def claude_behind(running: RunningGateway) -> AsyncIterator[AnthropicUpstream]:
    async with AnthropicUpstream(credential=CLAUDE_SECRET) as claude:
        provider = {"kind": "anthropic", "base_url": claude.base_url}
        target = {"provider": "claude", "model": "claude-sonnet-4-5"}
        for path, body in [
            ("/api/providers/claude", provider),
            ("/api/providers/claude/credential", {"secret": CLAUDE_SECRET}),
            ("/api/routes/sonnet", {"targets": [target]}),
        ]:
            defined = await running.call("PUT", path, body)
            assert defined.status == 200, defined
        yield claude


NATIVE = {
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "top_k": 5,
    "tools": [{"type": "web_search_20250305", "name": "web_search"}],
}


@pytest.mark.shows("Messages", provider="anthropic")
@both_ways
async def test_claude_is_asked_in_the_callers_own_words(scene: Scene, stream: bool) -> None:
    scene = await scene.without_token_limit()
    async with claude_behind(scene.running) as claude, client_of(scene) as client:
        claude.say("Yes.", reasoning="Hm.")
        message = await asked(client, stream=stream, model="sonnet", extra_body=NATIVE)
    (sent,) = claude.seen
    assert sent.body["model"] == "claude-sonnet-4-5"
    assert sent.body["messages"] == [HELLO]
    assert {name: sent.body[name] for name in NATIVE} == NATIVE
    assert message.id == "msg_double"
    thought, text = message.content
    assert thought.signature == "c2lnbmVk"
    assert text.text == "Yes."
    (entry,) = await scene.running.entries()
    assert TokenUsage(**entry["usage"]).completion_tokens == message.usage.output_tokens
    assert entry["outcome"] == "succeeded"


async def test_claude_is_told_of_beta_features_and_spared_the_thoughts_of_others(
    scene: Scene,
) -> None:
    thought = {"type": "thinking", "thinking": "Hm.", "signature": ""}
    signed = {"type": "thinking", "thinking": "So.", "signature": "c2ln"}
    text = {"type": "text", "text": "Yes."}
    said = {"role": "assistant", "content": [thought, signed, text]}
    async with claude_behind(scene.running) as claude, client_of(scene) as client:
        await client.messages.create(
            model="sonnet",
            max_tokens=100,
            messages=[HELLO, said, HELLO],
            extra_headers={"anthropic-beta": "context-management-2025-06-27", "x-own": "1"},
        )
    (sent,) = claude.seen
    assert sent.headers["anthropic-beta"] == "context-management-2025-06-27"
    assert "x-own" not in sent.headers
    assert sent.body["messages"] == [HELLO, {**said, "content": [signed, text]}, HELLO]


async def test_claudes_own_events_pass_by_their_names(scene: Scene) -> None:
    async with claude_behind(scene.running) as claude:
        body = {"model": "sonnet", "max_tokens": 100, "messages": [HELLO], "stream": True}
        answered = await scene.running.call("POST", "/v1/messages", body, key=scene.key)
        assert len(claude.seen) == 1
    events = [event.split("\n") for event in answered.body.split("\n\n") if event]
    kinds = [orjson.loads(data.removeprefix("data: "))["type"] for _, data in events]
    assert [name.removeprefix("event: ") for name, _ in events] == kinds
    assert "ping" in kinds
    assert kinds[-1] == "message_stop"
    assert kinds.count("message_stop") == 1


async def test_claudes_refusal_and_its_failure_are_told_apart(scene: Scene) -> None:
    async with claude_behind(scene.running) as claude, client_of(scene) as client:
        with pytest.raises(anthropic.BadRequestError) as refused:
            await asked(client, stream=False, model="sonnet", extra_body={"of_next_year": 1})
        claude.fail(status=529)
        with pytest.raises(anthropic.InternalServerError) as failed:
            await asked(client, stream=False, model="sonnet")
        claude.break_off(after_events=3)
        with pytest.raises(anthropic.APIStatusError) as broke_off:
            await asked(client, stream=True, model="sonnet")
    assert "of_next_year" in str(refused.value)
    assert kind_of(failed.value) == "overloaded_error"
    assert kind_of(broke_off.value) == "api_error"


async def test_many_clients_at_once_get_their_own_answers(scene: Scene) -> None:
    key = await scene.running.new_key(requests_per_minute=None, tokens_per_minute=None)
    await scene.running.call(
        "POST", "/api/save-keys", {"virtualKey": key, "openaiKey": scene.openai.credential}
    )

    async def ask(number: int) -> bool:
        message = await asked(
            client,
            stream=bool(number % 2),
            model="gpt-4o-mini",
            messages=[{"role": "user", "content": f"number {number}"}],
        )
        return bool(message.content[0].text == f"You said: number {number}")

    async with client_of(scene, key) as client:
        assert all(await asyncio.gather(*(ask(number) for number in range(30))))


@beta_async_tool
async def weather(city: str) -> str:
    """The weather in a city."""
    return f"Sunny in {city}"


@both_ways
@pytest.mark.parametrize("limited", [False, True])
@OF_EACH_PROVIDER
async def test_a_runner_of_tools_sends_the_whole_conversation_where_none_is_kept(
    upstreams: EveryUpstream, provider: str, stream: bool, limited: bool
) -> None:
    key = await upstreams.running.new_key(tokens_per_minute=10**6 if limited else None)
    double, model = upstreams.doubles[provider], MODELS_OF[provider]
    function = {"name": "weather", "arguments": '{"city": "Paris"}'}
    call = {"id": "abcdefghi", "type": "function", "function": function}
    turns = [Turn(tool_calls=[call]), Turn(text="It is sunny.")]
    if provider == "anthropic" and not limited:  # it is asked itself, and refuses
        turns.insert(0, Turn())
    for turn in turns:
        double.will(turn)
    async with client_of(upstreams, key) as client:
        run = client.beta.messages.tool_runner(
            model=model, max_tokens=100, messages=[HELLO], tools=[weather], stream=stream
        )
        if stream:
            message = None
            async for events in run:
                message = await events.get_final_message()
        else:
            message = await run.until_done()
    assert message is not None
    assert message.content[0].text == "It is sunny."
    assert "Hello there" in upstreams.told(provider)
    assert "Sunny in Paris" in upstreams.told(provider)


async def test_what_is_said_of_a_thread_reaches_who_goes_on_with_it(scene: Scene) -> None:
    details = {"error_code": "thread_not_found"}
    error = {"type": "invalid_request_error", "message": "No such thread.", "details": details}
    raw = orjson.dumps({"type": "error", "error": error})
    scene = await scene.without_token_limit()
    async with claude_behind(scene.running) as claude, client_of(scene) as client:
        claude.will(Turn(status=400, raw=raw))
        with pytest.raises(anthropic.BadRequestError) as caught:
            await asked(
                client,
                stream=False,
                model="sonnet",
                extra_body={"thread": {"type": "continue", "previous_message_id": "msg_1"}},
            )
    body: Any = caught.value.body
    assert body["error"]["details"] == details


# What Claude Code sends, in its outline: https://docs.anthropic.com/en/docs/claude-code/llm-gateway
CLAUDE_CODE = {
    "max_tokens": 32_000,
    "system": [
        {"type": "text", "text": "You are Claude Code."},
        {"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ],
    "tools": [WEATHER, {**WEATHER, "name": "Read", "eager_input_streaming": True}],
    "metadata": {"user_id": "user_" + "0f" * 32 + "_account__session_" + "0f" * 16},
    "thinking": {"type": "adaptive"},
    "output_config": {"effort": "high"},
    "context_management": {"edits": []},
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<system-reminder>Today is today.</system-reminder>"},
                {"type": "text", "text": "Look.", "cache_control": {"type": "ephemeral"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                {"type": "text", "text": "I look."},
                {
                    "type": "tool_use",
                    "id": "toolu_01A09q90qw90lq917835lq9",
                    "name": "Read",
                    "input": {"city": "Paris"},
                    "caller": {"type": "direct"},
                },
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "toolu_01A09q90qw90lq917835lq9",
                    "content": [{"type": "text", "text": "No such file."}],
                    "is_error": True,
                },
                {"type": "text", "text": "Go on."},
            ],
        },
    ],
}


@both_ways
@every_model
async def test_a_coding_agents_conversation_goes_to_every_provider(
    scene: Scene, model: str, stream: bool
) -> None:
    key = await scene.running.new_key(tokens_per_minute=None)
    secrets = {"openaiKey": scene.openai.credential, "mistralKey": scene.mistral.credential}
    await scene.running.call("POST", "/api/save-keys", {"virtualKey": key, **secrets})
    async with client_of(scene, key) as client:
        message = await asked(client, stream=stream, model=model, extra_body=CLAUDE_CODE)
    assert message.content[0].text == "You said: Go on."
    (sent,) = upstream_of(scene, model).seen
    assert sent.body["reasoning_effort"] == "high"
    (result,) = [m for m in sent.body["messages"] if m["role"] == "tool"]
    assert result["content"] == "Error: No such file."


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
@pytest.mark.parametrize(
    ("raw", "status", "kind"),
    [
        (b"", 400, "invalid_request_error"),
        (b"{", 400, "invalid_request_error"),
        (b"[]", 400, "invalid_request_error"),
        (b"[" * 5000, 400, "invalid_request_error"),
        (b'{"model": "%s"}' % (b"x" * 100_000), 413, "request_too_large"),
    ],
    ids=["empty", "open", "array", "deep", "large"],
)
async def test_what_is_no_request_is_refused_as_anthropic_does(
    shared_gateway: RunningGateway, path: str, raw: bytes, status: int, kind: str
) -> None:
    headers = {"x-api-key": await shared_gateway.new_key()}
    async with shared_gateway.http.post(path, data=raw, headers=headers) as response:
        assert response.status == status
        body = await response.json()
    assert body["error"]["type"] == kind
    assert body["request_id"] == response.headers["request-id"]


async def test_beta_features_in_several_lines_are_one_list(scene: Scene) -> None:
    body = {"model": "sonnet", "max_tokens": 100, "messages": [HELLO]}
    headers = [("anthropic-beta", "a-2025-01-01"), ("anthropic-beta", "b-2025-01-01")]
    async with (
        claude_behind(scene.running) as claude,
        scene.running.http.post(
            "/v1/messages", json=body, headers=[*headers, ("x-api-key", scene.key)]
        ) as response,
    ):
        assert response.status == 200
    (sent,) = claude.seen
    assert sent.headers["anthropic-beta"] == "a-2025-01-01, b-2025-01-01"
    assert scene.key not in str(sent.headers)


async def test_claudes_stream_that_is_cut_off_is_paid_for_by_what_it_told(scene: Scene) -> None:
    async with claude_behind(scene.running) as claude:
        claude.break_off(after_events=4)
        body = {"model": "sonnet", "max_tokens": 100, "messages": [HELLO], "stream": True}
        answered = await scene.running.call("POST", "/v1/messages", body, key=scene.key)
        assert answered.body.count("event: error\n") == 1
    first = orjson.loads(answered.body.split("data: ", 1)[1].split("\n", 1)[0])
    told = first["message"]["usage"]
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "broken_off"
    assert TokenUsage(**entry["usage"]).prompt_tokens == sum(
        told.get(f"{name}input_tokens") or 0 for name in ("", "cache_read_", "cache_creation_")
    )
