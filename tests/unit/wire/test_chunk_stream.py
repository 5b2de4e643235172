import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from langroute.adapters.wire.upstream import HttpUpstream
from langroute.application.ports.upstream import ChatChunk, ChunkStream
from langroute.domain.errors import ProviderBrokeOff, ProviderRefused, ProviderTimedOut
from langroute.domain.timeouts import Timeouts
from upstreams.calls import CREDENTIAL, call_to
from upstreams.mistral import MistralUpstream
from upstreams.openai import OpenAIUpstream
from upstreams.turn import Turn

FIRST = b'data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'
LAST = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
DONE = b"data: [DONE]\n\n"


async def read(chunks: ChunkStream) -> list[ChatChunk]:
    return [chunk async for chunk in chunks]


def text(chunks: Sequence[ChatChunk]) -> str:
    deltas = [choice["delta"] for chunk in chunks for choice in chunk.body["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


async def test_a_stream_s_usage_is_asked_for_even_if_the_caller_did_not(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    chunks = await read(await upstream.stream(call_to(openai_upstream, stream=True)))
    seen = openai_upstream.seen[0]
    assert seen.body["stream_options"] == {"include_usage": True}
    assert text(chunks) == "You said: Say something."
    assert sum(chunk.text_bytes for chunk in chunks) == len("You said: Say something.")
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    last = chunks[-1]
    assert last.body["choices"] == []
    assert last.usage is not None
    assert seen.usage is not None
    assert last.usage.total == seen.usage["total_tokens"]
    assert last.usage.cached_input == seen.usage["prompt_tokens_details"]["cached_tokens"]


async def test_usage_is_read_from_the_chunk_that_finishes_too(
    upstream: HttpUpstream, mistral_upstream: MistralUpstream
) -> None:
    chunks = await read(await upstream.stream(call_to(mistral_upstream)))
    assert chunks[-1].body["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1].usage is not None
    assert mistral_upstream.seen[0].usage is not None
    assert chunks[-1].usage.total == mistral_upstream.seen[0].usage["total_tokens"]


async def test_a_stream_may_tell_no_usage_at_all(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.will(Turn(usage=None))
    chunks = await read(await upstream.stream(call_to(openai_upstream)))
    assert all(chunk.usage is None for chunk in chunks)
    assert text(chunks) == "You said: Say something."


async def test_everything_the_model_says_is_counted_in_bytes(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "é", "arguments": "{}"}}
    openai_upstream.will(Turn(reasoning="Hm…", tool_calls=[call]))
    chunks = await read(await upstream.stream(call_to(openai_upstream)))
    assert sum(chunk.text_bytes for chunk in chunks) == len("Hm…é{}".encode())


async def test_a_refusal_is_known_before_the_stream_is_there(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.fail(status=429, headers={"retry-after-ms": "1500"})
    with pytest.raises(ProviderRefused) as caught:
        await upstream.stream(call_to(openai_upstream))
    assert caught.value.retry_after_s == 1.5


@pytest.mark.parametrize(
    "stream",
    [
        [FIRST, LAST, DONE],
        [FIRST, LAST],
        [FIRST, LAST[:-2]],
        [FIRST, DONE],
        [FIRST, LAST, DONE, b"data: not JSON\n\n"],
        [b": heartbeat\n\n", FIRST[:20], FIRST[20:] + LAST + DONE],
        [b"\xef\xbb\xbf", FIRST.replace(b"\n", b"\r\n"), LAST.replace(b"\n", b"\r")],
    ],
)
async def test_a_stream_that_says_it_is_finished_ends_well(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, stream: list[bytes]
) -> None:
    openai_upstream.will(Turn(raw=stream))
    assert text(await read(await upstream.stream(call_to(openai_upstream)))) == "a"


CALL = b'data: {"choices":[{"index":1,"delta":{"tool_calls":[{"function":{"name":"f"}}]}}]}\n\n'


async def test_where_no_reason_is_ever_told_the_mark_of_the_end_stands_for_it(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.will(Turn(raw=[FIRST, CALL, DONE]))
    chunks = [chunk.body for chunk in await read(await upstream.stream(call_to(openai_upstream)))]
    ends = [choice for body in chunks[2:] for choice in body["choices"]]
    assert ends == [
        {"index": 0, "delta": {}, "finish_reason": "stop"},
        {"index": 1, "delta": {}, "finish_reason": "tool_calls"},
    ]
    heads = [{name: value for name, value in b.items() if name != "choices"} for b in chunks]
    assert all(head == heads[0] for head in heads)


@pytest.mark.parametrize(
    "stream",
    [
        [],
        [FIRST],
        [FIRST, LAST.replace(b'"index":0', b'"index":1')],
        [FIRST, LAST[:-5]],
        [FIRST, b'data: {"error": {"message": "Overloaded."}}\n\n', DONE],
        [FIRST, b'event: error\ndata: {"message": "Overloaded."}\n\n'],
        [FIRST, b'data: {"object": "error", "message": "Overloaded."}\n\n'],
        [FIRST, b"data: not JSON\n\n", DONE],
        [FIRST, b"data: []\n\n", DONE],
        [FIRST, b'data: {"choices": 7}\n\n', DONE],
        [FIRST, b'data: {"choices": [7]}\n\n', DONE],
        [FIRST, b'data: {"choices": [{"delta": 7}]}\n\n', DONE],
        [FIRST, b'data: {"choices": [{"finish_reason": 7}]}\n\n', DONE],
        [FIRST, LAST.replace(b"stop", b"error"), DONE],
        [FIRST, LAST.replace(b'"index":0', b'"index":1'), DONE],
    ],
)
async def test_a_stream_that_does_not_is_never_taken_for_a_whole_answer(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, stream: list[bytes]
) -> None:
    openai_upstream.will(Turn(raw=stream))
    with pytest.raises(ProviderBrokeOff):
        await read(await upstream.stream(call_to(openai_upstream)))


@pytest.mark.parametrize("after_events", [1, 2, 4])
async def test_what_came_before_the_connection_closed_is_passed_on(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, after_events: int
) -> None:
    openai_upstream.cut(after_events=after_events)
    chunks = await upstream.stream(call_to(openai_upstream))
    for _ in range(after_events):
        await anext(chunks)
    with pytest.raises(ProviderBrokeOff):
        await anext(chunks)
    with pytest.raises(StopAsyncIteration):
        await anext(chunks)


async def test_an_error_in_mid_stream_is_told_without_the_credential(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    said = b'data: {"error": {"message": "Bad key %s."}}\n\n' % CREDENTIAL.encode()
    openai_upstream.will(Turn(raw=[FIRST, said]))
    with pytest.raises(ProviderBrokeOff, match=r"Bad key \*\*\*\.") as caught:
        await read(await upstream.stream(call_to(openai_upstream)))
    assert CREDENTIAL not in repr(caught.value)


async def test_silence_within_a_stream_is_a_time_out(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.hang(after_events=2)
    timeouts = Timeouts(first_byte_s=60, idle_s=0.05)
    chunks = await upstream.stream(call_to(openai_upstream, timeouts=timeouts))
    with pytest.raises(ProviderTimedOut):
        await read(chunks)
    await openai_upstream.seen[0].wait_for_hang_up()


async def test_a_stream_that_is_accepted_but_never_begins_is_a_time_out(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.hang(after_events=0)
    timeouts = Timeouts(first_byte_s=0.05, idle_s=60)
    chunks = await upstream.stream(call_to(openai_upstream, timeouts=timeouts))
    with pytest.raises(ProviderTimedOut):
        await anext(chunks)


async def test_a_first_chunk_may_take_longer_than_the_ones_after_it(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    gate = openai_upstream.hold()
    timeouts = Timeouts(first_byte_s=60, idle_s=0.05)
    asked = asyncio.create_task(upstream.stream(call_to(openai_upstream, timeouts=timeouts)))
    await gate.reached.wait()
    done, _ = await asyncio.wait([asked], timeout=0.2)
    assert not done
    gate.open()
    assert await read(await asked)


async def test_closing_early_hangs_up_on_the_provider_at_once(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.hang(after_events=1)
    chunks = await upstream.stream(call_to(openai_upstream))
    await anext(chunks)
    await chunks.aclose()
    await openai_upstream.seen[0].wait_for_hang_up(within_s=1)
    await chunks.aclose()
    assert await read(chunks) == []


async def test_a_cancelled_reader_hangs_up_on_the_provider(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.hang(after_events=1)
    chunks = await upstream.stream(call_to(openai_upstream))
    await anext(chunks)
    reader = asyncio.create_task(read(chunks))
    await asyncio.sleep(0)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    await openai_upstream.seen[0].wait_for_hang_up(within_s=1)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_cancelled_call_hangs_up_on_the_provider(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream, stream: bool
) -> None:
    gate = openai_upstream.hold()
    ask = upstream.stream if stream else upstream.complete
    asked = asyncio.create_task(ask(call_to(openai_upstream)))
    await gate.reached.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    await openai_upstream.seen[0].wait_for_hang_up(within_s=1)


async def test_a_server_that_lingers_after_done_is_not_waited_for(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.will(Turn(lingers=True))
    chunks = await read(await upstream.stream(call_to(openai_upstream)))
    assert text(chunks) == "You said: Say something."
    await openai_upstream.seen[0].wait_for_hang_up(within_s=1)


async def test_chunks_without_identity_are_given_one_and_the_same(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.will(Turn(raw=[FIRST, LAST, DONE]))
    chunks = await read(await upstream.stream(call_to(openai_upstream)))
    told = [(c.body["id"], c.body["created"], c.body["model"], c.body["object"]) for c in chunks]
    assert len(set(told)) == 1
    assert told[0][2:] == ("some-model", "chat.completion.chunk")


async def test_signs_of_life_alone_do_not_keep_a_stream_open(
    upstream: HttpUpstream, openai_upstream: OpenAIUpstream
) -> None:
    openai_upstream.will(Turn(raw=Endless(FIRST, b": still here\n\n")))
    timeouts = Timeouts(connect_s=0.2, first_byte_s=0.2, idle_s=0.2, total_s=0.4)
    stream = await upstream.stream(call_to(openai_upstream, timeouts=timeouts))
    async with asyncio.timeout(10):
        await anext(stream)
        with pytest.raises(ProviderTimedOut):
            await anext(stream)
    await openai_upstream.seen[0].wait_for_hang_up()


class Endless(Sequence[bytes]):
    """The first piece, and then the second for ever."""

    def __init__(self, first: bytes, then: bytes) -> None:
        self._first = first
        self._then = then

    def __getitem__(self, index: Any) -> Any:
        return self._then if index else self._first

    def __len__(self) -> int:
        return sys.maxsize
