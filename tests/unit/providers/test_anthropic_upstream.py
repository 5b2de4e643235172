"""Against a double over real HTTP, which refuses what the provider does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect, Native
from langroute.domain.errors import (
    OperationUnsupported,
    ProviderBrokeOff,
    ProviderRefused,
    RejectedByProvider,
)
from langroute.domain.operations import Operation, OperationRequest
from langroute.domain.timeouts import Timeouts
from langroute.domain.usage import TokenUsage
from upstreams.anthropic import AnthropicUpstream
from upstreams.anthropic_rules import REQUEST_FIELDS
from upstreams.calls import CREDENTIAL, call_to
from upstreams.turn import Turn

CALL = {
    "id": "toolu_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
}
WEATHER = {"type": "function", "function": {"name": "weather", "description": "The weather."}}


@pytest.fixture
async def anthropic() -> AsyncIterator[AnthropicUpstream]:
    async with AnthropicUpstream(credential=CREDENTIAL) as upstream:
        yield upstream


def native_call(anthropic: AnthropicUpstream, **body: Any) -> UpstreamCall[ChatRequest]:
    call = call_to(anthropic)
    written = {"messages": [{"role": "user", "content": "Say something."}], **body}
    native = Native(dialect=Dialect.MESSAGES, body=written)
    return replace(call, request=ChatRequest.parse(dict(call.request.body), native))


async def test_a_chat_is_answered(upstream: HttpUpstream, anthropic: AnthropicUpstream) -> None:
    reply = await upstream.complete(call_to(anthropic))
    seen = anthropic.seen[0]
    assert seen.path == "/v1/messages"
    assert seen.headers["x-api-key"] == CREDENTIAL
    assert seen.headers["anthropic-version"] == "2023-06-01"
    assert "Authorization" not in seen.headers
    choice = reply.body["choices"][0]
    assert choice["message"]["content"] == "You said: Say something."
    assert choice["finish_reason"] == "stop"
    assert reply.usage == TokenUsage(input=6, output=4, reasoning=4)
    assert reply.body["created"] > 0


async def test_a_stream_says_the_same(upstream: HttpUpstream, anthropic: AnthropicUpstream) -> None:
    anthropic.say("It is", reasoning="Hm.", tool_calls=[CALL])
    anthropic.say("It is so.", reasoning="Hm.")
    chunks = [c async for c in await upstream.stream(call_to(anthropic, tools=[WEATHER]))]
    deltas = [chunk.body["choices"][0]["delta"] for chunk in chunks]
    thoughts = {"type": "thinking", "thinking": "Hm.", "signature": "c2lnbmVk", "index": 0}
    assert [d["thinking_blocks"] for d in deltas if "thinking_blocks" in d] == [[thoughts]]
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    assert "".join(call["function"]["arguments"] for call in calls) == '{"city":"Paris"}'
    assert chunks[-1].body["choices"][0]["finish_reason"] == "tool_calls"
    assert len({chunk.body["id"] for chunk in chunks}) == 1
    assert len({chunk.body["created"] for chunk in chunks}) == 1
    chunks = [c async for c in await upstream.stream(call_to(anthropic))]
    text = "".join(c.body["choices"][0]["delta"].get("content") or "" for c in chunks)
    assert text == "It is so."
    told = [chunk.usage for chunk in chunks]
    assert told[0] is not None, "what was read, in case that the end never comes"
    assert told[1:-1] == [None] * (len(chunks) - 2)
    assert chunks[-1].usage is not None
    assert told[0].prompt_tokens == chunks[-1].usage.prompt_tokens
    assert chunks[-1].usage.total == sum(
        count for name, count in (anthropic.seen[1].usage or {}).items() if type(count) is int
    )


async def test_a_request_full_of_openai_s_fields_is_taken(
    upstream: HttpUpstream, anthropic: AnthropicUpstream
) -> None:
    reply = await upstream.complete(
        call_to(
            anthropic,
            messages=[
                {"role": "developer", "content": "Be brief."},
                {"role": "user", "content": "Hi", "name": "ann"},
                {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]},
                {"role": "tool", "tool_call_id": "toolu_1", "content": "Sunny"},
                {"role": "assistant", "content": "Sunny."},
                {"role": "user", "content": "So?"},
            ],
            tools=[WEATHER],
            tool_choice="auto",
            parallel_tool_calls=True,
            user="u",
            seed=1,
            store=False,
            temperature=1.3,
            top_p=1,
            n=1,
            stop=["x"],
            reasoning_effort="low",
            max_completion_tokens=5_000,
            response_format={"type": "text"},
        )
    )
    assert reply.dropped == ("messages.name", "seed", "store", "temperature")
    seen = anthropic.seen[0]
    assert seen.output_cap == 5_000
    assert seen.body["thinking"] == {"type": "enabled", "budget_tokens": 2_048}
    assert seen.body.keys() <= REQUEST_FIELDS


async def test_what_is_written_in_their_own_format_is_answered_in_it(
    upstream: HttpUpstream, anthropic: AnthropicUpstream
) -> None:
    reply = await upstream.complete(native_call(anthropic, max_tokens=50))
    assert reply.dialect is Dialect.MESSAGES
    assert reply.body["content"] == [{"type": "text", "text": "You said: Say something."}]
    assert reply.usage == TokenUsage(input=6, output=4, reasoning=4)
    assert anthropic.seen[0].body["model"] == "some-model"
    stream = await upstream.stream(native_call(anthropic, max_tokens=50))
    assert stream.dialect is Dialect.MESSAGES
    chunks = [chunk async for chunk in stream]
    assert [chunk.body["type"] for chunk in chunks][-2:] == ["message_delta", "message_stop"]
    told = [chunk.usage for chunk in chunks if chunk.usage is not None]
    assert reply.usage is not None
    assert told[-1] == reply.usage
    assert [usage.prompt_tokens for usage in told] == [reply.usage.prompt_tokens] * 2


async def test_a_fault_of_the_request_is_the_caller_s(
    upstream: HttpUpstream, anthropic: AnthropicUpstream
) -> None:
    for ask in (upstream.complete, upstream.stream):
        with pytest.raises(RejectedByProvider) as caught:
            await ask(call_to(anthropic, mispelt=1))
        assert caught.value.param == "mispelt"
    with pytest.raises(RejectedByProvider) as caught:
        await upstream.complete(native_call(anthropic))
    assert caught.value.param == "max_tokens"


async def test_too_much_to_do_is_the_provider_s(
    upstream: HttpUpstream, anthropic: AnthropicUpstream
) -> None:
    anthropic.fail(status=529, message="Overloaded")
    with pytest.raises(ProviderRefused) as refused:
        await upstream.complete(call_to(anthropic))
    assert refused.value.status == 529
    anthropic.break_off(after_events=3)
    stream = await upstream.stream(call_to(anthropic))
    with pytest.raises(ProviderBrokeOff, match="Overloaded"):
        _ = [chunk async for chunk in stream]
    with pytest.raises(ProviderRefused) as refused:
        await upstream.complete(replace(call_to(anthropic), credential="another"))
    assert refused.value.status == 401


async def test_an_error_that_was_sent_as_a_success_tells_its_status(
    upstream: HttpUpstream, anthropic: AnthropicUpstream
) -> None:
    error = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    anthropic.will(Turn(raw=error))
    with pytest.raises(ProviderRefused) as refused:
        await upstream.complete(call_to(anthropic))
    assert refused.value.status == 529


async def test_there_is_nothing_but_chats(
    upstream: HttpUpstream, anthropic: AnthropicUpstream
) -> None:
    call = call_to(anthropic)
    request = OperationRequest(operation=Operation.EMBEDDINGS, body={"input": "a"}, model="m")
    with pytest.raises(OperationUnsupported):
        await upstream.perform(
            UpstreamCall(
                provider=call.provider,
                credential=CREDENTIAL,
                model="m",
                request=request,
                output_cap=None,
                timeouts=Timeouts(),
            )
        )
    assert anthropic.seen == []


async def test_their_own_format_is_over_with_its_closing_event(
    upstream: HttpUpstream, anthropic: AnthropicUpstream
) -> None:
    """Whoever keeps the connection open behind it is not waited for."""
    anthropic.will(Turn(lingers=True))
    call = replace(native_call(anthropic, max_tokens=50), timeouts=Timeouts(idle_s=30))
    async with asyncio.timeout(10):
        chunks = [chunk async for chunk in await upstream.stream(call)]
    assert chunks[-1].body["type"] == "message_stop"
