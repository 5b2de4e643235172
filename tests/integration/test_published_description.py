"""Every kind of answer, held against what OpenAI publishes of its API, whoever answered it."""

from typing import Any

import orjson
import pytest

from gateway_fixtures import Answered, RunningGateway, Scene
from published import assert_as_published
from upstreams.double import UpstreamDouble
from upstreams.turn import Turn

OF_EACH_PROVIDER = pytest.mark.parametrize("model", ["gpt-4o-mini", "mistral-small-latest"])
CALL = {
    "id": "abcdefghi",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Paris"}'},
}
TURNS = {
    "text": Turn(text="Some words."),
    "nothing": Turn(text=""),
    "reasoning": Turn(text="Yes.", reasoning="I think so."),
    "tools": Turn(tool_calls=[CALL, {**CALL, "id": "jklmnopqr"}]),
    "no usage": Turn(usage=None),
    "length": Turn(finish_reason="length"),
}
OF_EACH_KIND = pytest.mark.parametrize("turn", TURNS.values(), ids=TURNS)


def double_of(scene: Scene, model: str) -> UpstreamDouble:
    return scene.openai if model.startswith("gpt") else scene.mistral


def events_of(answered: Answered) -> list[Any]:
    assert answered.status == 200, answered
    lines = [line for line in answered.body.split("\n") if line.startswith("data: ")]
    return [orjson.loads(line[6:]) for line in lines if line != "data: [DONE]"]


@OF_EACH_KIND
@OF_EACH_PROVIDER
async def test_whole_answers(scene: Scene, model: str, turn: Turn) -> None:
    double_of(scene, model).will(turn)
    answered = await scene.chat(model=model)
    assert answered.status == 200, answered
    assert_as_published("CreateChatCompletionResponse", answered.body)


@OF_EACH_KIND
@OF_EACH_PROVIDER
@pytest.mark.parametrize("asks", [True, False], ids=["with usage", "without usage"])
async def test_streams(scene: Scene, model: str, turn: Turn, asks: bool) -> None:
    double_of(scene, model).will(turn)
    more = {"stream_options": {"include_usage": True}} if asks else {}
    chunks = events_of(await scene.chat(model=model, stream=True, **more))
    assert len(chunks) > 1
    for chunk in chunks:
        assert_as_published("CreateChatCompletionStreamResponse", chunk)


MESSAGE = {"role": "assistant", "content": "Hi."}
CHOICE = {"index": 0, "message": MESSAGE, "finish_reason": "stop"}
PLAIN = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [CHOICE]}
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def choice(**more: Any) -> dict[str, Any]:
    return {**PLAIN, "choices": [{**CHOICE, **more}]}


def message(**more: Any) -> dict[str, Any]:
    return choice(message={**MESSAGE, **more})


CARELESS: dict[str, dict[str, Any]] = {
    "nothing but choices": {"choices": [{"message": {"content": "Hi."}}]},
    "nothing but a message": {"choices": [{"message": {}}]},
    "nulls at the top": {
        **dict.fromkeys(("id", "object", "created", "model", "usage", "service_tier")),
        "system_fingerprint": None,
        "choices": [CHOICE],
    },
    "names of the wrong type": {**PLAIN, "id": 7, "created": "today", "model": ["m"]},
    "a moment in fractions": {**PLAIN, "created": 1_780_000_000.25},
    "a tier of its own": {**PLAIN, "service_tier": "on_demand"},
    "a fingerprint that is no text": {**PLAIN, "system_fingerprint": 5},
    "null in a message": message(
        **dict.fromkeys(("tool_calls", "function_call", "annotations", "audio", "refusal"))
    ),
    "no role": choice(message={"content": "Hi."}),
    "a role of its own": message(role="bot"),
    "no tool calls in a list": message(tool_calls=[]),
    "a tool call without a type": message(
        tool_calls=[{"id": "1", "function": {"name": "f", "arguments": "{}"}}]
    ),
    "a tool call without an id": message(
        tool_calls=[{"function": {"name": "f", "arguments": "{}"}}]
    ),
    "arguments as an object": message(
        tool_calls=[{"id": "1", "type": "function", "function": {"name": "f", "arguments": {}}}]
    ),
    "parts of text": message(content=[{"type": "text", "text": "Hi."}]),
    "a refusal that is no text": message(refusal=False),
    "an end of its own": choice(finish_reason="eos"),
    "no end": choice(finish_reason=None),
    "probabilities without refusals": choice(logprobs={"content": []}),
    "probabilities that are none": choice(logprobs=[]),
    "an index that is no number": choice(index="0"),
    "usage without a total": {**PLAIN, "usage": {"prompt_tokens": 3, "completion_tokens": 2}},
    "usage with nulls": {
        **PLAIN,
        "usage": {**USAGE, "prompt_tokens_details": None, "completion_tokens_details": None},
    },
    "usage with nulls inside": {
        **PLAIN,
        "usage": {
            **USAGE,
            "prompt_tokens_details": {"cached_tokens": None},
            "completion_tokens_details": {"reasoning_tokens": None},
        },
    },
    "usage of nothing": {**PLAIN, "usage": {}},
    "usage in fractions": {**PLAIN, "usage": {**USAGE, "prompt_tokens": 3.0}},
}
FROM_CARELESS = pytest.mark.parametrize("body", CARELESS.values(), ids=CARELESS)


@FROM_CARELESS
async def test_whole_answers_of_the_careless(scene: Scene, body: dict[str, Any]) -> None:
    scene.openai.will(Turn(raw=orjson.dumps(body)))
    answered = await scene.chat()
    assert answered.status == 200, answered
    assert_as_published("CreateChatCompletionResponse", answered.body)


@FROM_CARELESS
async def test_streams_of_the_careless(scene: Scene, body: dict[str, Any]) -> None:
    (one,) = body["choices"]
    delta = {name: value for name, value in one.items() if name != "message"}
    chunk = {**body, "choices": [{**delta, "delta": one["message"]}]}
    last = {**body, "choices": [{**delta, "delta": {}, "finish_reason": "stop"}]}
    pieces = [b"data: " + orjson.dumps(event) + b"\n\n" for event in (chunk, last)]
    scene.openai.will(Turn(raw=[*pieces, b"data: [DONE]\n\n"]))
    for event in events_of(await scene.chat(stream=True)):
        assert_as_published("CreateChatCompletionStreamResponse", event)


@pytest.fixture
async def failures(scene: Scene) -> list[Answered]:
    """One of every sort that a caller meets."""
    limited = await scene.running.new_key(requests_per_minute=0)
    closed = await scene.running.new_key(allowed_models=["no-such-model"])
    no_credential = await scene.running.new_key()
    call = scene.running.call
    told = [
        await call("POST", "/v1/chat/completions", {"model": "gpt-4o-mini"}),
        await scene.running.chat("invalid"),
        await scene.running.chat(limited),
        await scene.running.chat(closed),
        await scene.running.chat(no_credential),
        await scene.chat(model="no-such-model"),
        await scene.chat(messages=[{"role": 7}]),
        await scene.chat(messages=None),
        await call("GET", "/v1/models/no-such-model", key=scene.key),
        await call("GET", "/v1/no-such-path", key=scene.key),
        await call("DELETE", "/v1/chat/completions", key=scene.key),
    ]
    for status in (400, 401, 413, 422, 429, 500, 503, 529):
        scene.openai.fail(status=status, code="some_code", param="messages")
        scene.mistral.fail(status=status)
        told.append(await scene.chat())
    return told


async def test_errors(failures: list[Answered]) -> None:
    assert {answered.status for answered in failures} >= {400, 401, 403, 404, 405, 413, 429, 502}
    for answered in failures:
        assert answered.status >= 400, answered
        assert_as_published("ErrorResponse", answered.body)


async def test_an_error_in_a_stream(scene: Scene) -> None:
    scene.openai.break_off(after_events=2)
    *chunks, error = events_of(await scene.chat(stream=True))
    assert chunks
    assert_as_published("ErrorResponse", error)


async def test_lists_of_models(scene: Scene) -> None:
    listed = await scene.running.call("GET", "/v1/models", key=scene.key)
    one = await scene.running.call("GET", "/v1/models/gpt-4o-mini", key=scene.key)
    assert_as_published("ListModelsResponse", listed.body)
    assert_as_published("Model", one.body)


async def embedding_model(scene: Scene, provider: str, model: str) -> str:
    targets = [{"provider": provider, "model": model}]
    defined = await scene.running.call("PUT", f"/api/routes/{model}", {"targets": targets})
    assert defined.status == 200, defined
    return model


@pytest.mark.parametrize(
    ("provider", "model"), [("openai", "text-embedding-3-small"), ("mistral", "mistral-embed")]
)
async def test_embeddings(scene: Scene, provider: str, model: str) -> None:
    body = {"model": await embedding_model(scene, provider, model), "input": ["one", "two"]}
    answered = await scene.running.call("POST", "/v1/embeddings", body, key=scene.key)
    assert answered.status == 200, answered
    assert_as_published("CreateEmbeddingResponse", answered.body)


@OF_EACH_PROVIDER
@pytest.mark.parametrize("kind", ["text", "nothing", "no usage", "length"])
async def test_text_completions(scene: Scene, model: str, kind: str) -> None:
    """Whole: of a stream's chunks it tells nothing, not even that most have no `finish_reason`."""
    body = {"model": model, "prompt": "Say something."}
    double_of(scene, model).will(TURNS[kind])
    answered = await scene.running.call("POST", "/v1/completions", body, key=scene.key)
    assert_as_published("CreateCompletionResponse", answered.body)


# OpenAI itself answers null here, against its own description.
NULL_AT_OPENAI = ("user", "safety_identifier", "prompt_cache_key", "usage")


def without_its_nulls(response: dict[str, Any]) -> dict[str, Any]:
    nulls = {name for name in NULL_AT_OPENAI if response[name] is None}
    return {name: value for name, value in response.items() if name not in nulls}


@OF_EACH_KIND
@OF_EACH_PROVIDER
async def test_responses(scene: Scene, model: str, turn: Turn) -> None:
    body = {"model": model, "input": "Say something."}
    double_of(scene, model).will(turn, times=2)
    whole = await scene.running.call("POST", "/v1/responses", body, key=scene.key)
    assert whole.status == 200, whole
    assert_as_published("Response", without_its_nulls(whole.body))
    streamed = {**body, "stream": True}
    for event in events_of(
        await scene.running.call("POST", "/v1/responses", streamed, key=scene.key)
    ):
        if "response" in event:
            event["response"] = without_its_nulls(event["response"])
        assert_as_published("ResponseStreamEvent", event)


@OF_EACH_KIND
@OF_EACH_PROVIDER
async def test_messages_as_anthropic_publishes_them(scene: Scene, model: str, turn: Turn) -> None:
    messages = [{"role": "user", "content": "Say something."}]
    body = {"model": model, "max_tokens": 50, "messages": messages}
    double_of(scene, model).will(turn, times=2)
    whole = await scene.running.call("POST", "/v1/messages", body, key=scene.key)
    assert whole.status == 200, whole
    assert_as_published("Message", whole.body, vendor="anthropic")
    streamed = {**body, "stream": True}
    for event in events_of(
        await scene.running.call("POST", "/v1/messages", streamed, key=scene.key)
    ):
        assert_as_published("MessageStreamEvent", event, vendor="anthropic")


async def test_errors_as_anthropic_publishes_them(shared_gateway: RunningGateway) -> None:
    told = await shared_gateway.call("POST", "/v1/messages", {}, key="invalid")
    assert told.status == 401
    assert_as_published("ErrorResponse", told.body, vendor="anthropic")
