import asyncio
import json
from typing import Any

import aiohttp
import pytest
from sqlalchemy import event

from event_streams import without_comments
from gateway_fixtures import OPENAI_SECRET, Scene, scene_on
from langroute.domain.money import Money
from langroute.domain.usage import TokenUsage


async def events_of(response: aiohttp.ClientResponse) -> list[Any]:
    """The data of each server-sent event, `[DONE]` as text."""
    text = without_comments((await response.read()).decode())
    data = [event.removeprefix("data: ") for event in text.removesuffix("\n\n").split("\n\n")]
    return [each if each == "[DONE]" else json.loads(each) for each in data]


def streamed(scene: Scene, **fields: Any) -> Any:
    body = {
        "model": "gpt-4o-mini",
        "messages": [{"role": "user", "content": "one two three"}],
        "stream": True,
        **fields,
    }
    return scene.running.http.post(
        "/v1/chat/completions", json=body, headers={"Authorization": f"Bearer {scene.key}"}
    )


def told_total(scene: Scene) -> int:
    """The tokens that the provider which was asked says it used."""
    usage = (scene.openai.seen or scene.mistral.seen)[0].usage
    assert usage is not None
    return int(usage["total_tokens"])


async def test_a_whole_chat_is_answered_paid_for_and_told_of(scene: Scene) -> None:
    answered = await scene.chat(max_tokens=40)
    assert answered.status == 200
    assert answered.body["choices"][0]["message"]["content"] == "You said: Hi"
    assert answered.headers["x-langroute-attempts"] == "openai/gpt-4o-mini=ok"
    assert answered.headers["x-ratelimit-remaining-requests"] == "59"
    left = 200_000 - answered.body["usage"]["total_tokens"]
    assert answered.headers["x-ratelimit-remaining-tokens"] == str(left)

    (seen,) = scene.openai.seen
    assert seen.headers["Authorization"] == f"Bearer {OPENAI_SECRET}"
    (entry,) = await scene.running.entries()
    assert answered.headers["x-request-id"] == entry["request_id"]
    assert answered.headers["x-langroute-cost"] == entry["cost_usd"]
    told = answered.body["usage"]
    usage = TokenUsage(**entry["usage"])
    assert usage.prompt_tokens == told["prompt_tokens"]
    assert usage.completion_tokens == told["completion_tokens"]
    assert entry["outcome"] == "succeeded"
    assert not entry["estimated"]
    # gpt-4o-mini: 0.15, 0.075 cached and 0.60 dollars a million tokens.
    cost = usage.input * 150_000 + usage.cached_input * 75_000
    cost += (usage.output + usage.reasoning) * 600_000
    assert entry["cost_usd"] == str(Money(cost))


async def test_what_the_gateway_does_not_decide_on_passes_through_untouched(scene: Scene) -> None:
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    parts = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    ]
    messages = [
        {"role": "developer", "content": "Be brief.", "name": "boss"},
        {"role": "user", "content": parts},
    ]
    own = {"temperature": 0.5, "response_format": schema, "some_new_field": {"a": [1, None]}}
    await scene.chat(messages=messages, max_completion_tokens=7, **own)
    body = scene.openai.seen[0].body
    assert body["messages"] == messages
    assert {name: body[name] for name in own} == own
    assert scene.openai.seen[0].output_cap == 7


async def test_a_stream_comes_as_it_is_made_and_hides_usage_that_nobody_asked_for(
    scene: Scene,
) -> None:
    async with streamed(scene) as response:
        assert response.status == 200
        assert response.content_type == "text/event-stream"
        assert response.headers["x-ratelimit-remaining-requests"] == "59"
        events = await events_of(response)
    assert events[-1] == "[DONE]"
    chunks = events[:-1]
    assert all("usage" not in chunk and chunk["choices"] for chunk in chunks)
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks)
    assert text == "You said: one two three"
    assert scene.openai.seen[0].body["stream_options"] == {"include_usage": True}
    (entry,) = await scene.running.entries()
    assert entry["streamed"]
    assert not entry["estimated"]
    assert entry["outcome"] == "succeeded"
    assert TokenUsage(**entry["usage"]).total == told_total(scene)


@pytest.mark.parametrize("model", ["gpt-4o-mini", "mistral-small-latest"])
async def test_a_stream_shows_usage_at_its_end_to_whoever_asked(scene: Scene, model: str) -> None:
    asked = {"stream_options": {"include_usage": True}}
    async with streamed(scene, model=model, **asked) as response:
        events = await events_of(response)
    assert events[-2]["choices"] == []
    assert events[-2]["usage"]["total_tokens"] == told_total(scene)
    assert all(chunk["usage"] is None and chunk["choices"] for chunk in events[:-2])


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("status", [401, 403, 404, 408, 429, 500, 502, 503, 529])
async def test_the_other_provider_answers_when_the_first_one_fails(
    scene: Scene, status: int, stream: bool
) -> None:
    scene.openai.fail(status=status)
    async with streamed(scene, stream=stream) as response:
        assert response.status == 200
        await response.read()
        assert response.headers["x-langroute-attempts"] == (
            f"openai/gpt-4o-mini={status}, mistral/mistral-small-latest=ok"
        )
        assert response.headers["x-langroute-provider"] == "mistral"
    (entry,) = await scene.running.entries()
    assert (entry["provider"], entry["attempts"]) == ("mistral", 2)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_the_other_provider_answers_when_the_connection_breaks(
    scene: Scene, stream: bool
) -> None:
    scene.openai.cut(times=2)
    async with streamed(scene, stream=stream) as response:
        assert response.status == 200
        assert "mistral/mistral-small-latest=ok" in response.headers["x-langroute-attempts"]


async def test_the_other_provider_answers_when_the_first_one_is_too_slow(
    database_url: str,
) -> None:
    async with scene_on(database_url, first_byte_timeout_s=0.2) as scene:
        scene.openai.hang()
        answered = await scene.chat()
        assert answered.headers["x-langroute-attempts"].startswith("openai/gpt-4o-mini=timeout, ")
        await scene.openai.seen[0].wait_for_hang_up()


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_the_callers_own_fault_is_told_and_nobody_else_is_asked(
    scene: Scene, stream: bool
) -> None:
    message = "This model's maximum context length is 128000 tokens."
    scene.openai.fail(status=400, message=message, code="context_length_exceeded", param="messages")
    answered = await scene.chat(stream=stream)
    assert answered.status == 400
    assert answered.body["error"] == {
        "message": message,
        "type": "invalid_request_error",
        "param": "messages",
        "code": "context_length_exceeded",
    }
    assert scene.mistral.seen == []
    (entry,) = await scene.running.entries()
    assert (entry["outcome"], entry["error"], entry["cost_usd"]) == ("failed", "400", "0.00")


async def test_when_all_fail_the_last_failure_is_told_with_every_attempt(scene: Scene) -> None:
    scene.openai.fail(status=500)
    scene.mistral.fail(status=429, message="Slow down.", headers={"retry-after": "7"})
    answered = await scene.chat()
    assert answered.status == 429
    assert answered.headers["retry-after"] == "7"
    attempts = "openai/gpt-4o-mini=500, mistral/mistral-small-latest=429"
    assert answered.headers["x-langroute-attempts"] == attempts
    assert "Slow down." in answered.body["error"]["message"]
    assert attempts in answered.body["error"]["message"]


async def test_a_stream_that_breaks_off_ends_in_an_error_and_never_in_done(scene: Scene) -> None:
    scene.openai.cut(after_events=3)
    scene.openai.break_off(after_events=3)
    for _ in range(2):
        async with streamed(scene) as response:
            assert response.status == 200
            events = await events_of(response)
        assert "[DONE]" not in events
        assert set(events[-1]["error"]) == {"message", "type", "param", "code"}
        assert scene.mistral.seen == []
    for entry in await scene.running.entries(2):
        assert entry["outcome"] == "broken_off"
        assert entry["estimated"]
        assert entry["cost_usd"] != "0.00"


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_usage_that_is_not_told_is_settled_at_a_marked_estimate(
    scene: Scene, stream: bool
) -> None:
    scene.openai.say("word " * 40, usage=None)
    async with streamed(scene, stream=stream) as response:
        await response.read()
    (entry,) = await scene.running.entries()
    assert entry["estimated"]
    assert TokenUsage(**entry["usage"]).completion_tokens >= 40
    assert entry["cost_usd"] != "0.00"


async def test_a_client_that_hangs_up_on_a_stream_stops_the_provider_and_pays_once(
    scene: Scene,
) -> None:
    scene.openai.hang(after_events=3)
    async with streamed(scene) as response:
        await response.content.readuntil(b"\n\n")
    await scene.openai.seen[0].wait_for_hang_up()
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "client_cancelled"
    assert entry["estimated"]


async def test_a_client_that_hangs_up_on_a_whole_chat_stops_the_provider_and_pays_once(
    scene: Scene,
) -> None:
    gate = scene.openai.hold()
    call = asyncio.create_task(scene.chat(max_tokens=30))
    async with asyncio.timeout(20):
        await gate.reached.wait()
    call.cancel()
    await scene.openai.seen[0].wait_for_hang_up()
    (entry,) = await scene.running.entries()
    assert entry["outcome"] == "client_cancelled"
    assert TokenUsage(**entry["usage"]).completion_tokens == 30


async def test_requests_past_the_limit_are_refused_with_the_time_to_come_back(
    scene: Scene,
) -> None:
    key = await scene.running.new_key(requests_per_minute=2, tokens_per_minute=None)
    await scene.running.call(
        "POST", "/api/save-keys", {"virtualKey": key, "openaiKey": OPENAI_SECRET}
    )
    statuses = [(await scene.running.chat(key)).status for _ in range(2)]
    refused = await scene.running.chat(key)
    assert [*statuses, refused.status] == [200, 200, 429]
    assert refused.body["error"]["type"] == "requests"
    assert refused.body["error"]["code"] == "rate_limit_exceeded"
    assert 55 <= int(refused.headers["retry-after"]) <= 61
    assert refused.headers["x-ratelimit-limit-requests"] == "2"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert "x-ratelimit-limit-tokens" not in refused.headers
    assert len(scene.openai.seen) == 2


async def test_a_prompt_past_the_token_limit_is_refused(scene: Scene) -> None:
    key = await scene.running.new_key(tokens_per_minute=500)
    refused = await scene.running.chat(key, messages=[{"role": "user", "content": "word " * 200}])
    assert refused.status == 429
    assert refused.body["error"]["type"] == "tokens"
    assert "larger than the limit itself" in refused.body["error"]["message"]
    assert refused.headers["x-should-retry"] == "false"
    assert refused.headers["retry-after"] == "60"
    assert refused.headers["x-ratelimit-remaining-tokens"] == "500"


async def test_concurrent_calls_never_pass_either_limit(scene: Scene) -> None:
    key = await scene.running.new_key(requests_per_minute=None, tokens_per_minute=1000)
    await scene.running.call(
        "POST", "/api/save-keys", {"virtualKey": key, "openaiKey": OPENAI_SECRET}
    )
    gate = scene.openai.hold()
    for _ in range(19):
        scene.openai.will(scene.openai._turns[0])
    calls = [asyncio.create_task(scene.running.chat(key, max_tokens=150)) for _ in range(20)]
    async with asyncio.timeout(20):
        await gate.reached.wait()
    gate.open()
    answered = await asyncio.gather(*calls)
    admitted = sum(each.status == 200 for each in answered)
    # Each reserves 150 tokens of output, and its input of some 40 bytes.
    assert admitted == len(scene.openai.seen) == 1000 // (150 + 37)
    assert all(each.status in {200, 429} for each in answered)


async def test_a_chat_without_a_cap_is_capped_and_told_so(scene: Scene) -> None:
    answered = await scene.chat()
    assert answered.headers["x-langroute-output-cap"] == "4096"
    assert scene.openai.seen[0].output_cap == 4096
    unlimited = await scene.running.new_key(tokens_per_minute=None)
    await scene.running.call(
        "POST", "/api/save-keys", {"virtualKey": unlimited, "openaiKey": OPENAI_SECRET}
    )
    answered = await scene.running.chat(unlimited)
    assert "x-langroute-output-cap" not in answered.headers
    assert scene.openai.seen[1].output_cap is None


async def test_a_key_is_held_to_its_models(scene: Scene) -> None:
    key = await scene.running.new_key(allowed_models=["mistral-*"])
    refused = await scene.running.chat(key)
    assert refused.status == 403
    assert refused.body["error"]["param"] == "model"
    listed = await scene.running.call("GET", "/v1/models", key=key)
    names = [card["id"] for card in listed.body["data"]]
    assert names
    assert all(name.startswith("mistral-") for name in names)
    one = await scene.running.call("GET", "/v1/models/gpt-4o-mini", key=key)
    assert one.body["error"]["code"] == "model_not_found"


async def test_a_revoked_key_is_refused_without_a_restart(scene: Scene) -> None:
    key = await scene.running.new_key()
    assert (await scene.running.chat(key)).status != 401
    (listed,) = [
        each
        for each in (await scene.running.call("GET", "/api/keys")).body["data"]
        if each["hint"] == f"…{key[-4:]}"
    ]
    await scene.running.call("DELETE", f"/api/keys/{listed['id']}")
    async with asyncio.timeout(10):
        while (refused := await scene.running.chat(key)).status != 401:
            await asyncio.sleep(0.01)
    assert refused.body["error"]["code"] == "revoked_api_key"


async def test_a_warm_request_makes_no_query_before_it_is_answered(
    database_url: str,
) -> None:
    async with scene_on(database_url) as scene:
        assert (await scene.chat()).status == 200
        database = scene.running.container.database()
        asked: list[str] = []

        def note(_conn: object, _cursor: object, statement: str, *_more: object) -> None:
            asked.append(statement)

        await scene.running.container.postgres_ledger().flush()
        event.listen(database.engine.sync_engine, "before_cursor_execute", note)
        gate = scene.openai.hold()
        call = asyncio.create_task(scene.chat())
        async with asyncio.timeout(20):
            await gate.reached.wait()
        assert asked == []
        gate.open()
        assert (await call).status == 200


async def test_a_client_that_stays_but_reads_nothing_is_cut_off(database_url: str) -> None:
    async with scene_on(database_url, idle_timeout_s=0.5) as scene:
        # More than the sockets in between can hold.
        scene.openai.say(("y" * 20_000 + " ") * 3000)
        body = json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": [
            {"role": "user", "content": "Hi"}]})  # fmt: skip
        _, writer = await asyncio.open_connection("127.0.0.1", scene.running.settings.port)
        writer.write(
            (
                "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {scene.key}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            ).encode()
        )
        (entry,) = await scene.running.entries()
        assert entry["outcome"] == "client_cancelled"
        await scene.openai.seen[0].wait_for_hang_up()
        writer.close()
