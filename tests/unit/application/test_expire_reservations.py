from scene import (
    MISTRAL_PRICE,
    OPENAI_PRICE,
    START_NS,
    USAGE,
    Scene,
    ScriptedStream,
    ScriptedUpstream,
    Silent,
    a_chat,
    a_chunk,
    a_key,
    usage_chunk,
)

from langroute.application.calls.stream_chat import ChatStream
from langroute.domain.corrections import BELATED
from langroute.domain.estimates import input_bound
from langroute.domain.ledger import Outcome
from langroute.domain.limits import Limits
from langroute.domain.usage import TokenUsage

INPUT = input_bound(a_chat(stream=True).body)
HOUR_S = 3600.0


async def a_forgotten_stream(limits: Limits | None = None) -> tuple[Scene, ChatStream]:
    """One that begins, and that nobody reads."""
    script = ScriptedStream(a_chunk("Hello"), usage_chunk())
    scene = await Scene(upstream=ScriptedUpstream(openai=script)).save("sk", "openai")
    return scene, await scene.stream_chat(a_key(limits), a_chat(stream=True, max_tokens=40))


async def test_a_call_under_way_does_not_expire_before_its_deadline() -> None:
    scene, _ = await a_forgotten_stream()
    scene.clock.advance(scene.timeouts.total_s + scene.timeouts.idle_s)
    assert await scene.expire() == 0
    assert await scene.entries() == []


async def test_a_call_that_never_settled_settles_once_at_its_bound_marked_as_expired() -> None:
    scene, _ = await a_forgotten_stream()
    scene.clock.advance(HOUR_S)
    assert await scene.expire() == 1
    assert await scene.expire() == 0
    entry = await scene.entry()
    bound = TokenUsage(input=INPUT, output=40)
    assert (entry.outcome, entry.usage, entry.estimated) == (Outcome.EXPIRED, bound, True)
    assert entry.cost == max(OPENAI_PRICE.cost_of(bound), MISTRAL_PRICE.cost_of(bound))
    assert (entry.model, entry.streamed, entry.at_ns) == ("smart", True, START_NS)
    assert 0 < entry.duration_ns < HOUR_S * 10**9


async def test_what_a_call_used_that_ends_after_all_is_a_correction_of_its_bound() -> None:
    scene, stream = await a_forgotten_stream()
    scene.clock.ns += int(HOUR_S) * 10**9
    await scene.expire()
    before = await scene.entry()
    assert len([chunk async for chunk in stream]) == 1
    assert await scene.entry() == before
    call = await scene.ledger.call(before.request_id)
    assert call is not None
    (correction,) = call.corrections
    assert (call.usage, call.cost) == (USAGE, OPENAI_PRICE.cost_of(USAGE))
    assert (correction.reason, call.estimated) == (BELATED, False)
    assert correction.posted_at_ns == scene.clock.ns


async def test_it_is_corrected_once_and_not_where_somebody_has_done_so() -> None:
    scene, stream = await a_forgotten_stream()
    scene.clock.advance(HOUR_S)
    await scene.expire()
    entry = await scene.entry()
    call = await scene.ledger.call(entry.request_id)
    assert call is not None
    by_hand = call.corrected(
        usage=entry.usage, cost=entry.cost, reason="the bill", posted_at_ns=scene.clock.ns
    )
    assert await scene.ledger.post(by_hand)
    await stream.aclose()
    corrected = await scene.ledger.call(entry.request_id)
    assert corrected is not None
    assert corrected.corrections == (by_hand,)
    assert await scene.expire() == 0


async def test_nothing_expires_that_was_settled() -> None:
    scene, stream = await a_forgotten_stream()
    await stream.aclose()
    scene.clock.advance(HOUR_S)
    assert await scene.expire() == 0
    assert len(await scene.entries()) == 1


async def test_a_call_that_hangs_expires_and_its_end_is_not_paid_for_again() -> None:
    """The one whose process lives on after all."""
    scene = await Scene(
        upstream=ScriptedUpstream(openai=ScriptedStream(a_chunk("a"), Silent()))
    ).save("sk", "openai")
    first = await scene.stream_chat(a_key(), a_chat(stream=True))
    scene.clock.advance(HOUR_S)
    assert await scene.expire() == 1
    used = await scene.tokens_used()
    await first.aclose()
    assert await scene.tokens_used() == used
    assert (await scene.entry()).outcome is Outcome.EXPIRED
