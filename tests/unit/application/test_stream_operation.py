import asyncio
from collections import deque
from dataclasses import replace
from typing import Any

import pytest
from scene import (
    OPENAI_PRICE,
    Scene,
    ScriptedStream,
    ScriptedUpstream,
    Silent,
    a_key,
)

from langroute.application.calls.paid_stream import PaidStream
from langroute.application.calls.perform_operation import PerformedOperation
from langroute.application.calls.stream_operation import StreamOperation
from langroute.application.ports.upstream import (
    ChatChunk,
    OperationReply,
    OperationUpstream,
    UpstreamCall,
)
from langroute.domain.errors import (
    AllTargetsFailed,
    OperationUnsupported,
    ProviderBrokeOff,
    ProviderRefused,
)
from langroute.domain.ledger import Outcome
from langroute.domain.operations import Operation, OperationRequest
from langroute.domain.units import Units
from langroute.domain.usage import TokenUsage

PROMPT = "A fish of forty bytes, or of some more.."
USAGE = TokenUsage(input=9, output=30)
A_PICTURE = Units.of(images=1)
USED = replace(USAGE, units=A_PICTURE)
PARTIAL = ChatChunk(body={"type": "image_generation.partial_image"})
COMPLETED = ChatChunk(body={"type": "image_generation.completed"}, usage=USAGE)
HEARD = ChatChunk(body={"type": "transcript.text.delta", "delta": "eight by"}, text_bytes=8)
BROKE_OFF = ProviderBrokeOff("It broke off.", provider="openai")
Answer = ScriptedStream | OperationReply | Exception


class ScriptedOperations:
    def __init__(self, **answers: Answer) -> None:
        self._answers = {name: deque([given]) for name, given in answers.items()}
        self.asked: list[str] = []

    async def perform(self, call: UpstreamCall[OperationRequest]) -> OperationReply:
        raise NotImplementedError

    async def stream_operation(
        self, call: UpstreamCall[OperationRequest]
    ) -> ScriptedStream | OperationReply:
        self.asked.append(call.provider.name)
        answer = self._answers[call.provider.name].popleft()
        if isinstance(answer, Exception):
            raise answer
        return answer


_: type[OperationUpstream] = ScriptedOperations


async def streaming(**answers: Answer) -> tuple[Scene, Any, ScriptedOperations]:
    """A scene, what a caller calls, and who is asked."""
    scene = await Scene(upstream=ScriptedUpstream()).save("sk", "openai", "mistral")
    upstream = ScriptedOperations(**answers)
    stream_operation = StreamOperation(
        conduct=scene.conduct,
        upstream=upstream,
        settle=scene.settle,
        clock=scene.clock,
        timeouts=scene.timeouts,
    )
    body = {"model": "smart", "prompt": PROMPT, "stream": True}
    asked = OperationRequest.parse(Operation.IMAGE_GENERATIONS, body)
    return scene, lambda: stream_operation(a_key(), asked), upstream


async def test_events_come_as_they_are_and_are_paid_for_by_what_they_tell() -> None:
    scene, ask, _ = await streaming(openai=ScriptedStream(PARTIAL, COMPLETED, dropped=("user",)))
    stream = await ask()
    assert stream.receipt.dropped == ("user",)
    assert await scene.entries() == []
    assert [body async for body in stream] == [PARTIAL.body, COMPLETED.body]
    entry = await scene.entry()
    assert (entry.outcome, entry.usage) == (Outcome.SUCCEEDED, USED)
    assert entry.streamed
    assert not entry.estimated
    assert stream.receipt.cost == entry.cost == OPENAI_PRICE.cost_of(USAGE)
    assert await scene.holds_nothing()


async def test_a_model_without_events_answers_in_one_piece() -> None:
    made = OperationReply(body={"text": "Three pounds."}, usage=USAGE)
    scene, ask, _ = await streaming(openai=made)
    done = await ask()
    assert isinstance(done, PerformedOperation)
    assert done.body == {"text": "Three pounds."}
    assert (await scene.entry()).usage == USED
    assert await scene.holds_nothing()


@pytest.mark.parametrize(
    "failure",
    [
        OperationUnsupported("openai", "images/generations in a stream"),
        ProviderRefused("Down.", provider="openai", status=503),
        ScriptedStream(),
        ScriptedStream(BROKE_OFF),
    ],
    ids=["unsupported", "refused", "empty", "broken before its first event"],
)
async def test_until_the_first_event_another_target_may_answer(failure: Answer) -> None:
    scene, ask, upstream = await streaming(openai=failure, mistral=ScriptedStream(COMPLETED))
    stream = await ask()
    assert upstream.asked == ["openai", "mistral"]
    assert [body async for body in stream] == [COMPLETED.body]
    assert (await scene.entry()).provider == "mistral"
    if isinstance(failure, ScriptedStream):
        assert failure.closed


async def test_after_the_first_event_none_may() -> None:
    scene, ask, upstream = await streaming(openai=ScriptedStream(PARTIAL, BROKE_OFF))
    stream = await ask()
    assert await anext(stream) == PARTIAL.body
    with pytest.raises(ProviderBrokeOff) as caught:
        await anext(stream)
    assert caught.value.receipt == stream.receipt
    assert upstream.asked == ["openai"]
    entry = await scene.entry()
    assert (entry.outcome, entry.usage) == (
        Outcome.BROKEN_OFF,
        TokenUsage(input=len(PROMPT) // 4, units=A_PICTURE),
    )
    assert entry.estimated
    assert await scene.holds_nothing()


async def test_what_was_heard_before_it_broke_off_counts() -> None:
    scene, ask, _ = await streaming(openai=ScriptedStream(HEARD, HEARD, BROKE_OFF))
    stream = await ask()
    with pytest.raises(ProviderBrokeOff):
        [body async for body in stream]
    entry = await scene.entry()
    assert (entry.usage.completion_tokens, entry.estimated) == (4, True)


async def test_a_caller_who_leaves_hangs_up_on_the_provider_and_pays_once() -> None:
    silent = Silent()
    told = ScriptedStream(PARTIAL, silent)
    scene, ask, _ = await streaming(openai=told)
    stream: PaidStream = await ask()
    assert await anext(stream) == PARTIAL.body
    waiting = asyncio.ensure_future(anext(stream))
    await silent.heard()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await stream.aclose()
    assert told.closed
    entry = await scene.entry()
    assert (entry.outcome, entry.estimated) == (Outcome.CLIENT_CANCELLED, True)
    assert await scene.holds_nothing()


async def test_nobody_has_events_of_it() -> None:
    unsupported = {
        name: OperationUnsupported(name, "images/generations in a stream")
        for name in ("openai", "mistral", "local")
    }
    scene, ask, _ = await streaming(**unsupported)
    with pytest.raises(AllTargetsFailed, match="in a stream") as caught:
        await ask()
    assert isinstance(caught.value.last, OperationUnsupported)
    assert (await scene.entry()).outcome is Outcome.FAILED
