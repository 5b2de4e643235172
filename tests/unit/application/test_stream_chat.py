import asyncio
import dataclasses
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from scene import (
    LOCAL,
    MISTRAL_PRICE,
    OPENAI_PRICE,
    PRICES,
    PROVIDERS,
    ROUTE,
    USAGE,
    Answer,
    Held,
    Said,
    Scene,
    ScriptedStream,
    ScriptedUpstream,
    Silent,
    a_chat,
    a_chunk,
    a_key,
    left,
    usage_chunk,
)

from langroute.application.calls.stream_chat import ChatStream
from langroute.application.ports.upstream import ChatChunk
from langroute.domain.attempts import told
from langroute.domain.catalogue import Catalogue
from langroute.domain.chat import ChatRequest
from langroute.domain.errors import (
    AllTargetsFailed,
    LimitReached,
    ProviderBrokeOff,
    ProviderRefused,
    ProviderTimedOut,
    RejectedByProvider,
)
from langroute.domain.estimates import input_bound, likely_tokens
from langroute.domain.ledger import Outcome
from langroute.domain.limits import Limits
from langroute.domain.money import ZERO
from langroute.domain.routes import ModelRoute
from langroute.domain.timeouts import Timeouts
from langroute.domain.usage import NO_USAGE, TokenUsage

INPUT = input_bound(a_chat(stream=True).body)


def a_stream_chat(**fields: Any) -> ChatRequest:
    return a_chat(stream=True, **fields)


def broke_off(provider: str = "openai") -> ProviderBrokeOff:
    return ProviderBrokeOff("The line went dead.", provider=provider)


async def a_scene(**answers: Answer | list[Answer]) -> Scene:
    return await Scene(upstream=ScriptedUpstream(**answers)).save("sk", "openai", "mistral")


async def begun(*lines: Said) -> tuple[Scene, ScriptedStream, ChatStream]:
    """A stream from openai that has begun."""
    script = ScriptedStream(*lines)
    scene = await a_scene(openai=script)
    return scene, script, await scene.stream_chat(a_key(), a_stream_chat())


def text_of(chunks: list[dict[str, Any]]) -> str:
    return "".join(choice["delta"]["content"] for chunk in chunks for choice in chunk["choices"])


async def test_chunks_come_as_the_provider_sent_them_and_are_paid_for_at_the_end() -> None:
    script = ScriptedStream(a_chunk("One"), a_chunk(" two"), usage_chunk(), dropped=("seed",))
    scene = await a_scene(openai=script)
    key = a_key(Limits(requests_per_minute=10, tokens_per_minute=1_000))
    stream = await scene.stream_chat(key, a_stream_chat())
    assert (stream.receipt.cost, stream.receipt.dropped) == (None, ("seed",))
    assert left(stream.receipt)[-1] == 1_000 - INPUT - 50
    assert stream.receipt.output_cap == 50
    assert told(stream.receipt.attempts) == "openai/gpt=ok"
    assert await scene.entries() == []

    assert text_of([chunk async for chunk in stream]) == "One two"
    assert stream.receipt.cost == OPENAI_PRICE.cost_of(USAGE)
    entry = await scene.entry()
    assert (entry.outcome, entry.usage, entry.estimated) == (Outcome.SUCCEEDED, USAGE, False)
    assert (entry.streamed, entry.provider, entry.attempts) == (True, "openai", 1)
    assert entry.request_id == stream.receipt.request_id
    assert await scene.tokens_used() == USAGE.total
    assert await scene.holds_nothing()


async def test_returns_once_the_first_chunk_is_there_and_not_before() -> None:
    held = Held()
    scene = await a_scene(openai=ScriptedStream(held, a_chunk("One")))
    call = asyncio.create_task(scene.stream_chat(a_key(), a_stream_chat()))
    await held.heard()
    assert not call.done()
    held.let_go.set()
    stream = await call
    assert text_of([chunk async for chunk in stream]) == "One"


@pytest.mark.parametrize(
    "first",
    [
        ProviderRefused("Overloaded.", provider="openai", status=503),
        ScriptedStream(broke_off()),
        ScriptedStream(),
    ],
    ids=["refused", "broken before the first chunk", "empty"],
)
async def test_before_the_first_chunk_another_target_may_answer(first: Answer) -> None:
    scene = await a_scene(openai=first, mistral=ScriptedStream(a_chunk("One"), usage_chunk()))
    stream = await scene.stream_chat(a_key(), a_stream_chat())
    assert text_of([chunk async for chunk in stream]) == "One"
    assert [each.provider for each in stream.receipt.attempts] == ["openai", "mistral"]
    if isinstance(first, ScriptedStream):
        assert first.closed
    entry = await scene.entry()
    assert (entry.provider, entry.attempts) == ("mistral", 2)
    assert entry.cost == MISTRAL_PRICE.cost_of(USAGE)


async def test_after_the_first_chunk_no_other_target_is_asked() -> None:
    script = ScriptedStream(a_chunk("One"), broke_off())
    scene = await a_scene(openai=script, mistral=ScriptedStream(a_chunk("Uno")))
    stream = await scene.stream_chat(a_key(), a_stream_chat())
    seen = [await anext(stream)]
    with pytest.raises(ProviderBrokeOff) as error:
        await anext(stream)
    assert text_of(seen) == "One"
    assert scene.upstream.asked == ["openai"]
    assert script.closed
    assert error.value.receipt == stream.receipt
    assert (await scene.entry()).outcome is Outcome.BROKEN_OFF


@pytest.mark.parametrize(
    ("failure", "raised", "error"),
    [
        (ProviderRefused("Overloaded.", provider="openai", status=503), AllTargetsFailed, "503"),
        (
            RejectedByProvider("No.", provider="openai", status=422, param=None, code=None),
            RejectedByProvider,
            "422",
        ),
    ],
)
async def test_a_failure_before_the_first_chunk_is_a_real_error(
    failure: Exception, raised: type[Exception], error: str
) -> None:
    scene = await a_scene(openai=failure)
    scene.catalogue = Catalogue.of(
        PROVIDERS, [ModelRoute(model="smart", targets=ROUTE.targets[:1])]
    )
    with pytest.raises(raised):
        await scene.stream_chat(a_key(), a_stream_chat())
    entry = await scene.entry()
    assert (entry.outcome, entry.error, entry.usage) == (Outcome.FAILED, error, NO_USAGE)
    assert await scene.holds_nothing()


async def test_a_stream_that_is_cancelled_before_its_first_chunk_hangs_up_and_settles() -> None:
    silent = Silent()
    script = ScriptedStream(silent)
    scene = await a_scene(openai=script)
    call = asyncio.create_task(scene.stream_chat(a_key(), a_stream_chat()))
    await silent.heard()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert script.closed
    entry = await scene.entry()
    usage = TokenUsage(input=likely_tokens(INPUT))
    assert (entry.outcome, entry.usage, entry.estimated) == (
        Outcome.CLIENT_CANCELLED,
        usage,
        True,
    )
    assert await scene.holds_nothing()


async def test_waiting_for_the_first_chunk_counts_towards_the_deadline() -> None:
    script = ScriptedStream(Silent())
    scene = await a_scene(openai=script)
    scene.timeouts = Timeouts(total_s=0.01)
    with pytest.raises(AllTargetsFailed) as failed:
        async with asyncio.timeout(2):
            await scene.stream_chat(a_key(), a_stream_chat())
    assert isinstance(failed.value.last, ProviderTimedOut)
    assert script.closed
    entry = await scene.entry()
    read = TokenUsage(input=likely_tokens(INPUT))
    assert (entry.provider, entry.usage, entry.estimated) == ("openai", read, True)
    assert await scene.holds_nothing()


async def test_an_error_that_nobody_expected_is_settled_and_passed_on() -> None:
    scene, script, stream = await begun(a_chunk("One"), ZeroDivisionError("a bug"))
    with pytest.raises(ZeroDivisionError):
        await read_to_the_end(stream)
    assert script.closed
    entry = await scene.entry()
    assert (entry.outcome, entry.error) == (Outcome.BROKEN_OFF, "ZeroDivisionError")
    assert await scene.holds_nothing()


# Each way out of a stream that has said two chunks, and could say more.


async def read_to_the_end(stream: ChatStream) -> None:
    async for _ in stream:
        pass


async def read_one_and_close(stream: ChatStream) -> None:
    async for _ in stream:
        break
    await stream.aclose()


async def close_at_once(stream: ChatStream) -> None:
    await stream.aclose()


async def close_twice(stream: ChatStream) -> None:
    await anext(stream)
    await stream.aclose()
    await stream.aclose()


async def close_from_two_sides(stream: ChatStream) -> None:
    await asyncio.gather(stream.aclose(), stream.aclose())


async def read_to_the_end_and_close(stream: ChatStream) -> None:
    await read_to_the_end(stream)
    await stream.aclose()


async def read_past_the_end(stream: ChatStream) -> None:
    await read_to_the_end(stream)
    await read_to_the_end(stream)


async def read_after_closing(stream: ChatStream) -> None:
    await stream.aclose()
    assert [chunk async for chunk in stream] == []


async def see_it_break_off(stream: ChatStream) -> None:
    with pytest.raises(ProviderBrokeOff):
        await read_to_the_end(stream)


async def break_it_off(stream: ChatStream) -> None:
    await anext(stream)
    await stream.break_off("broken")
    await stream.break_off("again")
    await stream.aclose()


async def see_it_break_off_and_close(stream: ChatStream) -> None:
    await see_it_break_off(stream)
    await stream.aclose()
    await read_to_the_end(stream)


HELLO = [a_chunk("Hello"), a_chunk(" you")]
ONE_CHUNK = likely_tokens(len("Hello"))
TWO_CHUNKS = likely_tokens(len("Hello you"))
Leave = Callable[[ChatStream], Awaitable[None]]


@pytest.mark.parametrize(
    ("leave", "last", "outcome", "output"),
    [
        (read_to_the_end, None, Outcome.SUCCEEDED, TWO_CHUNKS),
        (read_to_the_end_and_close, None, Outcome.SUCCEEDED, TWO_CHUNKS),
        (read_past_the_end, None, Outcome.SUCCEEDED, TWO_CHUNKS),
        (read_one_and_close, None, Outcome.CLIENT_CANCELLED, ONE_CHUNK),
        (close_at_once, None, Outcome.CLIENT_CANCELLED, ONE_CHUNK),
        (close_twice, None, Outcome.CLIENT_CANCELLED, ONE_CHUNK),
        (close_from_two_sides, None, Outcome.CLIENT_CANCELLED, ONE_CHUNK),
        (read_after_closing, None, Outcome.CLIENT_CANCELLED, ONE_CHUNK),
        (break_it_off, broke_off(), Outcome.BROKEN_OFF, ONE_CHUNK),
        (see_it_break_off, broke_off(), Outcome.BROKEN_OFF, TWO_CHUNKS),
        (see_it_break_off_and_close, broke_off(), Outcome.BROKEN_OFF, TWO_CHUNKS),
    ],
)
@pytest.mark.parametrize("usage", [None, USAGE], ids=["untold", "told"])
async def test_a_stream_settles_once_whatever_way_it_is_left(
    leave: Leave,
    last: Exception | None,
    outcome: Outcome,
    output: int,
    usage: TokenUsage | None,
) -> None:
    first = a_chunk("Hello", usage)
    scene, script, stream = await begun(first, HELLO[1], *([last] if last else []))
    await leave(stream)
    entry = await scene.entry()
    if usage is not None:
        # What was said after the usage was told cannot be in it.
        since = output - ONE_CHUNK
        told = dataclasses.replace(USAGE, output=USAGE.output + since)
        assert (entry.usage, entry.estimated) == (told, since > 0)
    else:
        estimate = TokenUsage(input=likely_tokens(INPUT), output=output)
        assert (entry.usage, entry.estimated) == (estimate, True)
    assert entry.outcome is outcome
    assert entry.error == ("broken" if last else None)
    assert entry.cost == OPENAI_PRICE.cost_of(entry.usage) == stream.receipt.cost
    assert script.closed or outcome is Outcome.SUCCEEDED
    assert await scene.tokens_used() == entry.usage.total > 0
    assert await scene.holds_nothing()


async def test_a_reader_that_is_cancelled_hangs_up_and_settles_once() -> None:
    silent = Silent()
    scene, script, stream = await begun(*HELLO, silent)
    reader = asyncio.create_task(read_to_the_end(stream))
    await silent.heard()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert script.closed
    await stream.aclose()
    entry = await scene.entry()
    assert (entry.outcome, entry.estimated) == (Outcome.CLIENT_CANCELLED, True)
    assert entry.usage.output == TWO_CHUNKS
    assert await scene.holds_nothing()


def the_end(index: int = 0) -> ChatChunk:
    choices = [{"index": index, "delta": {}, "finish_reason": "stop"}]
    return ChatChunk(body={"choices": choices})


async def test_whoever_leaves_at_the_end_of_what_is_said_pays_for_what_was_thought() -> None:
    """OpenAI tells usage, and what was thought, in a chunk behind the last one with a choice."""
    thought = TokenUsage(input=20, output=5, reasoning=4_000)
    scene, script, stream = await begun(a_chunk("Hello"), the_end(), usage_chunk(thought))
    assert [await anext(stream), await anext(stream)] == [a_chunk("Hello").body, the_end().body]
    await stream.aclose()
    assert script.closed
    entry = await scene.entry()
    assert (entry.outcome, entry.usage, entry.estimated) == (
        Outcome.CLIENT_CANCELLED,
        thought,
        False,
    )


async def test_what_goes_wrong_behind_the_end_is_told_once_the_end_has_been_passed_on() -> None:
    scene, _, stream = await begun(a_chunk("Hello"), the_end(), broke_off())
    assert [await anext(stream), await anext(stream)] == [a_chunk("Hello").body, the_end().body]
    with pytest.raises(ProviderBrokeOff):
        await anext(stream)
    assert (await scene.entry()).outcome is Outcome.BROKEN_OFF
    scene, _, stream = await begun(a_chunk("Hello"), the_end())
    assert len([chunk async for chunk in stream]) == 2
    assert (await scene.entry()).outcome is Outcome.SUCCEEDED


async def test_of_several_choices_the_last_one_ends_what_is_said() -> None:
    later = Held()
    both: list[dict[str, Any]] = [
        {"index": n, "delta": {}, "finish_reason": None} for n in range(2)
    ]
    script = ScriptedStream(
        ChatChunk(body={"choices": both}), the_end(1), later, a_chunk(), the_end(), usage_chunk()
    )
    scene = await a_scene(openai=script)
    stream = await scene.stream_chat(a_key(), a_stream_chat(n=2))
    async with asyncio.timeout(5):
        assert await anext(stream) == {"choices": both}
        assert await anext(stream) == the_end(1).body
    later.let_go.set()
    assert [await anext(stream), await anext(stream)] == [a_chunk().body, the_end().body]
    await stream.aclose()
    assert (await scene.entry()).usage == USAGE


async def test_who_asks_for_more_choices_than_there_are_pays_for_what_was_thought() -> None:
    scene = await a_scene(openai=ScriptedStream(a_chunk("Hello"), the_end(), usage_chunk()))
    stream = await scene.stream_chat(a_key(), a_stream_chat(n=2))
    assert [await anext(stream), await anext(stream)] == [a_chunk("Hello").body, the_end().body]
    await stream.aclose()
    entry = await scene.entry()
    assert (entry.usage, entry.estimated) == (USAGE, False)


class Stubborn(ScriptedStream):
    """Does not let itself be closed."""

    async def aclose(self) -> None:
        raise ZeroDivisionError("a bug")


async def test_a_stream_that_cannot_be_closed_is_paid_for_all_the_same() -> None:
    silent = Silent()
    scene = await a_scene(openai=[Stubborn(*HELLO), Stubborn(*HELLO), Stubborn(*HELLO, silent)])
    for leave in (read_one_and_close, break_it_off):
        with pytest.raises(ZeroDivisionError):
            await leave(await scene.stream_chat(a_key(), a_stream_chat()))
    reader = asyncio.create_task(read_to_the_end(await scene.stream_chat(a_key(), a_stream_chat())))
    await silent.heard()
    reader.cancel()
    with pytest.raises(ZeroDivisionError):
        await reader
    assert [entry.outcome for entry in await scene.entries()] == [
        Outcome.CLIENT_CANCELLED,
        Outcome.BROKEN_OFF,
        Outcome.CLIENT_CANCELLED,
    ]
    assert await scene.holds_nothing()


async def test_the_last_usage_that_was_told_counts() -> None:
    first, last = TokenUsage(input=20, output=1), TokenUsage(input=20, output=9)
    scene, _, stream = await begun(a_chunk("a", first), a_chunk("b"), a_chunk("c", last))
    await read_to_the_end(stream)
    assert (await scene.entry()).usage == last


async def test_missing_usage_becomes_a_marked_estimate_and_never_nothing() -> None:
    scene, _, stream = await begun(a_chunk("größer"), a_chunk(" 😀"), a_chunk())
    await read_to_the_end(stream)
    entry = await scene.entry()
    text_bytes = len("größer 😀".encode())
    assert entry.usage == TokenUsage(input=likely_tokens(INPUT), output=likely_tokens(text_bytes))
    assert entry.estimated
    assert entry.cost > ZERO


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, [["choices"], ["choices"], None]),
        ({"stream_options": {}}, [["choices"], ["choices"], None]),
        ({"stream_options": {"include_usage": False}}, [["choices"], ["choices"], None]),
        (
            {"stream_options": {"include_usage": True}},
            [["choices", "usage"], ["choices", "usage"], ["choices", "usage"]],
        ),
    ],
)
async def test_usage_is_hidden_from_those_who_did_not_ask_for_it(
    options: dict[str, Any], shown: list[list[str] | None]
) -> None:
    lines = [a_chunk("One", usage=None), a_chunk("two", USAGE), usage_chunk()]
    lines[0].body["usage"] = None
    lines[1].body["usage"] = {"total_tokens": 25}
    scene = await a_scene(openai=ScriptedStream(*lines))
    stream = await scene.stream_chat(a_key(), a_stream_chat(**options))
    seen = [sorted(chunk) for chunk in [chunk async for chunk in stream]]
    assert seen == [fields for fields in shown if fields is not None]
    assert (await scene.entry()).usage == USAGE


TOLD = {"total_tokens": USAGE.total}
SAID = [{"index": 0, "delta": {"content": "One"}}]
BESIDE_TEXT = ChatChunk(body={"choices": SAID, "usage": TOLD}, usage=USAGE, text_bytes=3)


@pytest.mark.parametrize(
    "lines",
    [
        [a_chunk("One"), usage_chunk()],
        [BESIDE_TEXT],
        [BESIDE_TEXT, usage_chunk()],
        [BESIDE_TEXT, ChatChunk(body={"choices": [], "usage": None})],
        [usage_chunk(), a_chunk("One")],
    ],
    ids=["at the end", "beside the text", "twice", "before an empty chunk", "before the text"],
)
async def test_usage_that_was_asked_for_comes_once_and_in_a_chunk_of_its_own(
    lines: list[Said],
) -> None:
    scene = await a_scene(openai=ScriptedStream(*lines))
    chat = a_stream_chat(stream_options={"include_usage": True})
    stream = await scene.stream_chat(a_key(), chat)
    seen = [chunk async for chunk in stream]
    assert seen[0] == {"choices": SAID, "usage": None}
    assert seen[-1] == {"choices": [], "usage": TOLD}
    assert [chunk["usage"] for chunk in seen if chunk["usage"]] == [TOLD]


async def test_whoever_leaves_after_the_last_chunk_has_seen_it_all() -> None:
    scene = await a_scene(openai=ScriptedStream(BESIDE_TEXT))
    chat = a_stream_chat(stream_options={"include_usage": True})
    stream = await scene.stream_chat(a_key(), chat)
    await anext(stream)
    assert await anext(stream) == {"choices": [], "usage": TOLD}
    scene.clock.advance(10**6)  # nothing is waited for any more
    await stream.aclose()
    assert [chunk async for chunk in stream] == []
    assert (await scene.entry()).outcome is Outcome.SUCCEEDED


async def test_the_deadline_of_a_stream_counts_from_when_the_call_began() -> None:
    held, later = Held(), Held()
    script = ScriptedStream(held, a_chunk("a"), a_chunk("b"), later, a_chunk("c"), a_chunk("d"))
    scene = await a_scene(openai=script, mistral=ScriptedStream(a_chunk("x")))
    scene.timeouts = Timeouts(total_s=100)
    call = asyncio.create_task(scene.stream_chat(a_key(), a_stream_chat()))
    await held.heard()
    scene.clock.advance(80)  # of which the first chunk takes so many
    held.let_go.set()
    stream = await call
    await anext(stream)
    scene.clock.advance(19)
    await anext(stream)
    third = asyncio.ensure_future(anext(stream))
    await later.heard()
    scene.clock.advance(2)
    later.let_go.set()
    await third  # what is there by now is passed on
    with pytest.raises(ProviderTimedOut) as error:
        await anext(stream)
    assert error.value.provider == "openai"
    assert script.closed
    entry = await scene.entry()
    assert (entry.outcome, entry.error) == (Outcome.BROKEN_OFF, "timeout")
    assert entry.first_byte_ns == 80 * 10**9
    assert scene.upstream.asked == ["openai"]


async def test_a_clock_that_is_set_moves_no_deadline() -> None:
    scene, _, stream = await begun(*HELLO, usage_chunk())
    scene.clock.ns += 10**6 * 10**9
    await read_to_the_end(stream)
    assert (await scene.entry()).outcome is Outcome.SUCCEEDED


async def test_a_stream_without_a_price_has_a_cost_that_is_unknown() -> None:
    scene = await a_scene(local=ScriptedStream(a_chunk("a", USAGE)))
    scene.catalogue = Catalogue.of(
        [LOCAL], [ModelRoute(model="smart", targets=ROUTE.targets[2:])], PRICES
    )
    stream = await scene.stream_chat(a_key(), a_stream_chat())
    await read_to_the_end(stream)
    assert stream.receipt.cost is None
    entry = await scene.entry()
    assert (entry.usage, entry.cost, entry.priced) == (USAGE, ZERO, False)


async def test_a_stream_that_runs_holds_its_reservation() -> None:
    scene = await a_scene(openai=ScriptedStream(*HELLO, usage_chunk()))
    key = a_key(Limits(tokens_per_minute=INPUT + 60))
    stream = await scene.stream_chat(key, a_stream_chat(max_tokens=60))
    await anext(stream)
    with pytest.raises(LimitReached):
        await scene.stream_chat(key, a_stream_chat(max_tokens=1))
    await stream.aclose()
    used = (await scene.entry()).usage.total
    assert await scene.tokens_used() == used


async def test_a_usage_that_leaves_out_what_was_read_or_said_is_filled_up() -> None:
    """Some servers tell of the input alone, or of the output."""
    scene, _, stream = await begun(a_chunk("x" * 40), usage_chunk(TokenUsage(input=9)))
    assert len([chunk async for chunk in stream]) > 0
    entry = await scene.entry()
    assert (entry.usage, entry.estimated) == (TokenUsage(input=9, output=10), True)
    scene, _, stream = await begun(a_chunk("x" * 40), usage_chunk(TokenUsage(output=9)))
    assert len([chunk async for chunk in stream]) > 0
    entry = await scene.entry()
    assert entry.usage.output == 9
    assert entry.usage.input > 0
    assert entry.estimated
