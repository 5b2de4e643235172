"""Responses over real HTTP, asked for by OpenAI's own client."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from pydantic import BaseModel

from gateway_fixtures import Scene
from langroute.domain.usage import TokenUsage
from upstreams.anthropic import AnthropicUpstream
from upstreams.double import UpstreamDouble
from upstreams.own_responses import ResponsesUpstream
from upstreams.turn import Turn

MODELS = pytest.mark.parametrize("model", ["gpt-4o-mini", "mistral-small-latest"])
WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
CALLS = [
    {
        "id": call_id,
        "type": "function",
        "function": {"name": "weather", "arguments": f'{{"city": "{city}"}}'},
    }
    for call_id, city in (("abcdefghi", "Paris"), ("jklmnopqr", "Rome"))
]


class City(BaseModel):
    name: str
    inhabitants: int


def client_of(scene: Scene, *, retries: int = 0) -> Any:
    """Untyped: the tests are of what it does, and send what its types would not let through."""
    return AsyncOpenAI(base_url=f"{scene.running.url}/v1", api_key=scene.key, max_retries=retries)


def upstream_of(scene: Scene, model: str) -> UpstreamDouble:
    return scene.openai if model.startswith("gpt") else scene.mistral


async def types_until_it_raises(stream: AsyncIterator[Any], match: str = ".") -> list[str]:
    types: list[str] = []

    async def read_on() -> None:
        async for event in stream:
            types.append(event.type)  # noqa: PERF401  (those before the error are wanted)

    with pytest.raises(openai.APIError, match=match):
        await read_on()
    return types


async def used(scene: Scene, count: int = 1) -> dict[str, Any]:
    """The newest entry of the ledger."""
    return (await scene.running.entries(count))[0]


@pytest.mark.shows("Responses")
@MODELS
async def test_a_text_is_answered(scene: Scene, model: str) -> None:
    async with client_of(scene) as client:
        response = await client.responses.create(
            model=model, instructions="Be brief.", input="Hello there", max_output_tokens=50
        )
    assert response.output_text == "You said: Hello there"
    assert (response.status, response.error) == ("completed", None)
    assert response.instructions == "Be brief."
    (sent,) = upstream_of(scene, model).seen
    assert [message["role"] for message in sent.body["messages"]] == ["system", "user"]
    assert sent.output_cap == 50
    entry = await used(scene)
    assert (entry["outcome"], entry["estimated"]) == ("succeeded", False)
    assert TokenUsage(**entry["usage"]).total == response.usage.total_tokens > 0


@pytest.mark.shows("Responses")
@MODELS
async def test_an_answer_comes_event_by_event(scene: Scene, model: str) -> None:
    async with client_of(scene) as client:
        stream = await client.responses.create(model=model, input="Hello there", stream=True)
        events = [event async for event in stream]
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 1
    assert "".join(deltas) == "You said: Hello there"
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert events[-1].type == "response.completed"
    response = events[-1].response
    assert response.output_text == "You said: Hello there"
    entry = await used(scene)
    assert (entry["outcome"], entry["estimated"]) == ("succeeded", False)
    assert TokenUsage(**entry["usage"]).total == response.usage.total_tokens > 0


@pytest.mark.shows("Responses")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@MODELS
async def test_tools_are_called_and_answered(scene: Scene, model: str, stream: bool) -> None:
    upstream = upstream_of(scene, model)
    upstream.say("", tool_calls=CALLS)
    question = {"role": "user", "content": "Where is it warmer?"}
    ask = {"model": model, "input": [question], "tools": [WEATHER]}
    async with client_of(scene) as client:
        if stream:
            async with client.responses.stream(**ask) as events:
                response = await events.get_final_response()
        else:
            response = await client.responses.create(**ask, tool_choice="required")
        calls = response.output
        assert [(call.type, call.name) for call in calls] == [("function_call", "weather")] * 2
        assert [call.arguments for call in calls] == ['{"city": "Paris"}', '{"city": "Rome"}']

        outputs = [
            {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny"}
            for call in calls
        ]
        said = [call.model_dump(exclude_none=True) for call in calls]
        response = await client.responses.create(
            model=model, input=[question, *said, *outputs], tools=[WEATHER]
        )
    assert response.output_text == "You said: Where is it warmer?"
    messages = upstream.seen[-1].body["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "tool", "tool"]
    assert len({call["id"] for call in messages[1]["tool_calls"]}) == 2


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@MODELS
async def test_an_answer_of_a_certain_shape_is_parsed(
    scene: Scene, model: str, stream: bool
) -> None:
    upstream = upstream_of(scene, model)
    upstream.say('{"name": "Paris", "inhabitants": 2000000}')
    ask = {"model": model, "input": "Which is the largest?", "text_format": City}
    async with client_of(scene) as client:
        if stream:
            async with client.responses.stream(**ask) as events:
                response = await events.get_final_response()
        else:
            response = await client.responses.parse(**ask)
    assert response.output_parsed == City(name="Paris", inhabitants=2_000_000)
    asked = upstream.seen[0].body["response_format"]
    assert asked["type"] == "json_schema"
    assert asked["json_schema"]["strict"] is True
    assert asked["json_schema"]["schema"]["required"] == ["name", "inhabitants"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_thoughts_are_told_and_come_back(scene: Scene, stream: bool) -> None:
    scene.openai.say("Paris.", reasoning="The capital.")
    question = {"role": "user", "content": "Which is the largest?"}
    ask = {"model": "gpt-4o-mini", "input": [question], "reasoning": {"effort": "low"}}
    async with client_of(scene) as client:
        if stream:
            async with client.responses.stream(**ask) as events:
                response = await events.get_final_response()
        else:
            response = await client.responses.create(**ask)
        thought, message = response.output
        assert [part.text for part in thought.summary] == ["The capital."]
        assert message.content[0].text == "Paris."
        said = [item.model_dump(exclude_none=True) for item in response.output]
        await client.responses.create(**ask | {"input": [question, *said, question]})
    first, second = scene.openai.seen
    assert first.body["reasoning_effort"] == "low"
    answer = second.body["messages"][1]
    assert (answer["content"], answer["reasoning_content"]) == ("Paris.", "The capital.")


async def test_an_answer_that_its_cap_cut_off_is_incomplete(scene: Scene) -> None:
    async with client_of(scene) as client:
        ask = {"model": "gpt-4o-mini", "input": "Hello there", "max_output_tokens": 6}
        response = await client.responses.create(**ask)
        stream = await client.responses.create(**ask, stream=True)
        last = [event async for event in stream][-1]
    assert last.type == "response.incomplete"
    for shown in (response, last.response):
        assert shown.status == "incomplete"
        assert shown.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"tools": [{"type": "web_search"}]}, "tools.0.type"),
    ],
)
async def test_what_has_no_translation_is_refused_by_name(
    scene: Scene, fields: dict[str, Any], param: str
) -> None:
    async with client_of(await scene.without_token_limit()) as client:
        with pytest.raises(openai.BadRequestError) as caught:
            await client.responses.create(model="gpt-4o-mini", input="Hi", **fields)
    assert (caught.value.param, caught.value.code) == (param, "unsupported_parameter")
    assert scene.openai.seen == []
    assert (await used(scene))["outcome"] == "failed"


async def test_what_a_translation_leaves_out_is_told(scene: Scene) -> None:
    async with client_of(scene) as client:
        raw = await client.responses.with_raw_response.create(
            model="gpt-4o-mini", input="Hi", truncation="auto", extra_body={"n": 2}
        )
    assert raw.headers["x-langroute-dropped"] == "n, truncation"


async def test_a_field_s_name_stays_in_its_line(scene: Scene) -> None:
    async with client_of(scene) as client:
        raw = await client.responses.with_raw_response.create(
            model="gpt-4o-mini", input="Hi", reasoning={"größe\r\nx-langroute-cost: 0": 1}
        )
    dropped = raw.headers["x-langroute-dropped"]
    assert dropped == r"reasoning.gr\xf6\xdfe\r\nx-langroute-cost: 0"


@pytest.mark.parametrize(
    ("key", "error", "code"),
    [
        ("invalid", openai.AuthenticationError, "invalid_api_key"),
        (None, openai.BadRequestError, "model_not_found"),
    ],
)
async def test_errors_are_typed(
    scene: Scene, key: str | None, error: type[openai.APIStatusError], code: str
) -> None:
    async with client_of(replace(scene, key=key or scene.key)) as client:
        with pytest.raises(error) as caught:
            await client.responses.create(model="none", input="Hi")
    assert caught.value.code == code
    assert caught.value.request_id


async def test_a_response_cannot_be_had_again(scene: Scene) -> None:
    async with client_of(scene) as client:
        responses = client.responses
        for ask in (responses.retrieve, responses.delete, responses.cancel):
            with pytest.raises(openai.NotFoundError) as caught:
                await ask("resp_1")
            assert caught.value.code == "unknown_url"
        with pytest.raises(openai.NotFoundError):
            await responses.input_items.list("resp_1")


@pytest.mark.parametrize("how", ["cut", "break_off"])
async def test_a_stream_that_breaks_off_raises(scene: Scene, how: str) -> None:
    ask = {"model": "gpt-4o-mini", "input": "Hi"}
    async with client_of(scene) as client:
        getattr(scene.openai, how)(after_events=3)
        stream = await client.responses.create(**ask, stream=True)
        types = await types_until_it_raises(stream)
        getattr(scene.openai, how)(after_events=3)
        async with client.responses.stream(**ask) as events:
            assert await types_until_it_raises(events)
    assert types[-1] == "response.output_text.delta"
    assert (await used(scene, 2))["outcome"] == "broken_off"


@MODELS
async def test_leaving_a_stream_stops_the_provider(scene: Scene, model: str) -> None:
    upstream = upstream_of(scene, model)
    upstream.hang(after_events=2)
    async with client_of(scene) as client:
        stream = await client.responses.create(model=model, input="Hello there", stream=True)
        await anext(aiter(stream))
        await stream.close()
    await upstream.seen[0].wait_for_hang_up()
    assert (await used(scene))["outcome"] == "client_cancelled"


@pytest.mark.shows("Responses", provider="anthropic")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_signed_thoughts_come_back_to_who_signed_them(scene: Scene, stream: bool) -> None:
    claude = AnthropicUpstream()
    claude.say("", reasoning="Where is it?", tool_calls=CALLS[:1])
    question = {"role": "user", "content": "How is the weather?"}
    ask = {"model": "own", "tools": [WEATHER], "reasoning": {"effort": "low"}}
    async with serving(scene, "anthropic", claude), client_of(scene) as client:
        if stream:
            async with client.responses.stream(**ask, input=[question]) as events:
                response = await events.get_final_response()
        else:
            response = await client.responses.create(**ask, input=[question])
        said = [item.model_dump(exclude_none=True) for item in response.output]
        output = {"type": "function_call_output", "call_id": response.output[-1].call_id}
        given = [question, *said, {**output, "output": "Sunny"}]
        await client.responses.create(**ask, input=given)
    thought, call = claude.seen[-1].body["messages"][1]["content"]
    assert thought == {"type": "thinking", "thinking": "Where is it?", "signature": "c2lnbmVk"}
    assert (call["type"], call["input"]) == ("tool_use", {"city": "Paris"})


# A provider that speaks Responses itself.


@asynccontextmanager
async def serving(scene: Scene, kind: str, upstream: UpstreamDouble) -> AsyncIterator[None]:
    """Behind the model `own`."""
    async with upstream:
        provider = {"kind": kind, "base_url": upstream.base_url, "needs_credential": False}
        for path, body in (
            ("/api/providers/own", provider),
            ("/api/routes/own", {"targets": [{"provider": "own", "model": "own-model"}]}),
        ):
            defined = await scene.running.call("PUT", path, body)
            assert defined.status == 200, defined
        yield


@pytest.fixture
async def own(scene: Scene) -> AsyncIterator[ResponsesUpstream]:
    upstream = ResponsesUpstream()
    async with serving(scene, "vllm", upstream):
        yield upstream


@pytest.mark.shows("Responses", provider="vllm")
async def test_who_speaks_the_dialect_is_sent_what_the_caller_wrote(
    scene: Scene, own: ResponsesUpstream
) -> None:
    own.say("Hello there.")
    asked = {
        "input": [{"type": "item_reference", "id": "msg_1"}],
        "previous_response_id": "resp_1",
        "tools": [{"type": "web_search"}],
        "max_output_tokens": 50,
        "truncation": "auto",
    }
    async with client_of(await scene.without_token_limit()) as client:
        raw = await client.responses.with_raw_response.create(model="own", **asked)
    response = raw.parse()
    assert (response.id, response.output_text) == ("resp_double", "Hello there.")
    assert "x-langroute-dropped" not in raw.headers
    (sent,) = own.seen
    assert sent.body == {**asked, "model": "own-model", "stream": False}
    entry = await used(scene)
    assert (entry["outcome"], entry["estimated"]) == ("succeeded", False)
    assert TokenUsage(**entry["usage"]) == TokenUsage(
        input=5, cached_input=7, output=5, reasoning=4
    )


async def test_who_does_not_speak_it_is_passed_over(scene: Scene, own: ResponsesUpstream) -> None:
    own.say("Hello there.")
    names = enumerate(("mistral", "own"))
    targets = [{"provider": name, "model": name, "order": order} for order, name in names]
    routed = await scene.running.call("PUT", "/api/routes/either", {"targets": targets})
    assert routed.status == 200, routed
    async with client_of(await scene.without_token_limit()) as client:
        response = await client.responses.create(
            model="either", input="And now?", previous_response_id="resp_1"
        )
    assert response.output_text == "Hello there."
    assert scene.mistral.seen == []


async def test_its_events_come_as_it_sent_them(scene: Scene, own: ResponsesUpstream) -> None:
    own.say("Hello there.", times=2)
    async with client_of(scene) as client:
        stream = await client.responses.create(model="own", input="Hi", stream=True)
        events = [event async for event in stream]
        async with client.responses.stream(model="own", input="Hi") as managed:
            response = await managed.get_final_response()
    assert [event.sequence_number for event in events] == list(range(10))
    assert events[4].obfuscation == "x"
    assert (response.id, response.output_text) == ("resp_double", "Hello there.")
    entry = await used(scene, 2)
    assert TokenUsage(**entry["usage"]).total == 21


@pytest.mark.parametrize("how", ["cut", "break_off"])
async def test_its_stream_that_breaks_off_raises(
    scene: Scene, own: ResponsesUpstream, how: str
) -> None:
    getattr(own, how)(after_events=4)
    async with client_of(scene) as client:
        stream = await client.responses.create(model="own", input="Hi", stream=True)
        types = await types_until_it_raises(stream)
    assert types[-1] == "response.content_part.added"
    assert (await used(scene))["outcome"] == "broken_off"


async def test_its_failure_is_passed_on_and_raised(scene: Scene, own: ResponsesUpstream) -> None:
    error = {"code": "server_error", "message": "Out of luck."}
    response = {"id": "resp_double", "status": "failed", "output": [], "error": error}
    begun = {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_double"}}
    failed = {"type": "response.failed", "sequence_number": 1, "response": response}
    own.will(Turn(raw=[own.written(begun), own.written(failed)]))
    async with client_of(scene) as client:
        stream = await client.responses.create(model="own", input="Hi", stream=True)
        types = await types_until_it_raises(stream, match=r"Out of luck\.")
    assert types == ["response.created", "response.failed"]
    assert (await used(scene))["outcome"] == "broken_off"


async def test_leaving_its_stream_stops_it(scene: Scene, own: ResponsesUpstream) -> None:
    own.hang(after_events=5)
    async with client_of(scene) as client:
        stream = await client.responses.create(model="own", input="Hi", stream=True)
        await anext(aiter(stream))
        await stream.close()
    await own.seen[0].wait_for_hang_up()
