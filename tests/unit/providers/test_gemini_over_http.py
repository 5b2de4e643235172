from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.errors import ProviderBrokeOff, ProviderRefused, RejectedByProvider
from langroute.domain.operations import Operation, OperationRequest
from upstreams.calls import call_to
from upstreams.gemini import GeminiUpstream
from upstreams.turn import Turn

CALL = {"id": "abc", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}


@pytest.fixture
async def strict_upstream() -> AsyncIterator[GeminiUpstream]:
    async with GeminiUpstream(credential="sk-a-secret-that-must-not-be-seen") as upstream:
        yield upstream


async def test_a_chat_is_answered_and_counted(
    upstream: HttpUpstream, strict_upstream: GeminiUpstream
) -> None:
    reply = await upstream.complete(call_to(strict_upstream, temperature=0.5))
    assert reply.body["choices"][0]["message"]["content"] == "You said: Say something."
    assert reply.usage is not None
    told = strict_upstream.seen[0].usage
    assert told is not None
    assert reply.usage.total == told["totalTokenCount"]
    assert reply.usage.reasoning == told["thoughtsTokenCount"]


async def test_a_stream_is_told_word_by_word_and_counted_at_its_end(
    upstream: HttpUpstream, strict_upstream: GeminiUpstream
) -> None:
    strict_upstream.say("One two three.", reasoning="Hm.")
    chunks = [chunk async for chunk in await upstream.stream(call_to(strict_upstream, n=2))]
    first = [c.body["choices"][0]["delta"] for c in chunks]
    assert "".join(delta.get("content", "") for delta in first) == "One two three."
    assert first[0] == {"role": "assistant", "content": "", "reasoning_content": "Hm."}
    usages = [chunk.usage for chunk in chunks]
    assert usages[-1] is not None
    totals = [usage.total for usage in usages if usage is not None]
    assert max(totals) == usages[-1].total
    assert len({chunk.body["id"] for chunk in chunks}) == 1


async def test_calls_come_back_signed_and_are_taken_on_the_next_turn(
    upstream: HttpUpstream, gemini_upstream: GeminiUpstream
) -> None:
    gemini_upstream.will(Turn(tool_calls=[CALL, {**CALL, "id": "def"}]))
    tools = [{"type": "function", "function": {"name": "f"}}]
    reply = await upstream.complete(call_to(gemini_upstream, tools=tools))
    message = reply.body["choices"][0]["message"]
    assert reply.body["choices"][0]["finish_reason"] == "tool_calls"
    answers = [{"role": "tool", "tool_call_id": i, "content": "ok"} for i in ("abc", "def")]
    messages = [{"role": "user", "content": "Go"}, message, *answers]
    await upstream.complete(call_to(gemini_upstream, messages=messages, tools=tools))
    parts = gemini_upstream.seen[1].body["contents"][1]["parts"]
    assert [part.get("thoughtSignature") for part in parts] == ["c2lnbmVk", None]
    assert [part["functionCall"]["id"] for part in parts] == ["abc", "def"]


@pytest.mark.parametrize("model", ["../x", "a/b", "a?b=c#d", "..", "ü %2F", "models/plain"])
async def test_a_model_s_name_stays_one_step_of_the_path(
    upstream: HttpUpstream, gemini_upstream: GeminiUpstream, model: str
) -> None:
    call = replace(call_to(gemini_upstream), model=model)
    await upstream.complete(call)
    async for _ in await upstream.stream(call):
        pass
    name = model.removeprefix("models/")
    assert [seen.path for seen in gemini_upstream.seen] == [
        f"/v1beta/models/{name}:generateContent",
        f"/v1beta/models/{name}:streamGenerateContent",
    ]


async def test_a_bad_key_is_the_provider_s_failure(
    upstream: HttpUpstream, strict_upstream: GeminiUpstream
) -> None:
    call = call_to(strict_upstream, credential="another")
    for ask in (upstream.complete, upstream.stream):
        with pytest.raises(ProviderRefused) as caught:
            await ask(call)
        assert caught.value.status == 401


async def test_what_google_refuses_is_the_caller_s_fault(
    upstream: HttpUpstream, gemini_upstream: GeminiUpstream
) -> None:
    with pytest.raises(RejectedByProvider, match="unheard"):
        await upstream.complete(call_to(gemini_upstream, unheard=1))


async def test_a_stream_that_breaks_off_says_so(
    upstream: HttpUpstream, gemini_upstream: GeminiUpstream
) -> None:
    gemini_upstream.break_off()
    chunks = await upstream.stream(call_to(gemini_upstream))
    with pytest.raises(ProviderBrokeOff, match="overloaded"):
        async for _ in chunks:
            pass
    gemini_upstream.cut(after_events=1)
    chunks = await upstream.stream(call_to(gemini_upstream))
    with pytest.raises(ProviderBrokeOff):
        async for _ in chunks:
            pass


def embeddings(upstream: GeminiUpstream, **body: Any) -> UpstreamCall[OperationRequest]:
    plain = call_to(upstream)
    return UpstreamCall(
        provider=plain.provider,
        credential=plain.credential,
        model=plain.model,
        request=OperationRequest.parse(Operation.EMBEDDINGS, {"model": "asked", **body}),
        output_cap=None,
        timeouts=plain.timeouts,
    )


async def test_texts_are_embedded(upstream: HttpUpstream, gemini_upstream: GeminiUpstream) -> None:
    made = {"embeddings": [{"values": [0.5, 1]}, {"values": [-0.25, 0]}]}
    gemini_upstream.will(Turn(raw=orjson.dumps({**made, "usageMetadata": {"promptTokenCount": 3}})))
    reply = await upstream.perform(embeddings(gemini_upstream, input=["a", "b"]))
    assert isinstance(reply.body, dict)
    assert [one["embedding"] for one in reply.body["data"]] == [[0.5, 1], [-0.25, 0]]
    assert reply.usage is not None
    assert reply.usage.total == 3
    assert gemini_upstream.seen[0].path == "/v1beta/models/some-model:batchEmbedContents"


@pytest.mark.parametrize(
    "made", [{}, {"embeddings": [{"values": [1]}]}, {"embeddings": [{"values": ["a"]}, {}]}]
)
async def test_embeddings_that_are_none_are_refused(
    upstream: HttpUpstream, gemini_upstream: GeminiUpstream, made: dict[str, Any]
) -> None:
    gemini_upstream.will(Turn(raw=orjson.dumps(made)))
    with pytest.raises(ProviderBrokeOff):
        await upstream.perform(embeddings(gemini_upstream, input=["a", "b"]))
