import asyncio
from collections import deque
from dataclasses import replace
from typing import Any

import pytest
from scene import (
    KEY_ID,
    OPENAI_PRICE,
    PROVIDERS,
    ROUTE,
    FullLedger,
    Scene,
    ScriptedUpstream,
    Silent,
    a_key,
    left,
)

from langroute.application.calls.perform_operation import PerformOperation
from langroute.application.ports.upstream import OperationReply, OperationUpstream, UpstreamCall
from langroute.domain.catalogue import Catalogue
from langroute.domain.errors import (
    AllTargetsFailed,
    Forbidden,
    GatewayError,
    LimitReached,
    OperationUnsupported,
    ProviderRefused,
    RejectedByProvider,
    UnknownModel,
)
from langroute.domain.ledger import Outcome
from langroute.domain.limits import Limits
from langroute.domain.money import Money
from langroute.domain.operations import Operation, OperationRequest, UploadedFile
from langroute.domain.pricing import DatedPrice, ModelPrice, Rates
from langroute.domain.routes import Target
from langroute.domain.units import UnitRates, Units
from langroute.domain.usage import NO_USAGE, TokenUsage

INPUT = "Forty bytes of text, more or less, here."
USAGE = TokenUsage(input=9)
Answer = OperationReply | Exception | Silent


class ScriptedOperations:
    """Providers by name, each with its answers in order. Keeps the calls that reached them."""

    def __init__(self, **answers: Answer | list[Answer]) -> None:
        self._answers = {
            name: deque(given if isinstance(given, list) else [given])
            for name, given in answers.items()
        }
        self.calls: list[UpstreamCall[OperationRequest]] = []

    @property
    def asked(self) -> list[str]:
        return [call.provider.name for call in self.calls]

    async def perform(self, call: UpstreamCall[OperationRequest]) -> OperationReply:
        self.calls.append(call)
        answer = self._answers[call.provider.name].popleft()
        if isinstance(answer, Silent):
            await answer.wait()
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, OperationReply)
        return answer

    async def stream_operation(self, call: UpstreamCall[OperationRequest]) -> OperationReply:
        return await self.perform(call)


_: type[OperationUpstream] = ScriptedOperations


async def a_scene(**parts: Any) -> Scene:
    return await Scene(upstream=ScriptedUpstream(), **parts).save("sk", "openai", "mistral")


def performing(scene: Scene, upstream: ScriptedOperations) -> PerformOperation:
    return PerformOperation(conduct=scene.conduct, upstream=upstream, settle=scene.settle)


def embed(given: Any = INPUT) -> OperationRequest:
    return OperationRequest.parse(Operation.EMBEDDINGS, {"model": "smart", "input": given})


def made(usage: TokenUsage | None = USAGE, **more: Any) -> OperationReply:
    return OperationReply(body={"data": []}, usage=usage, **more)


async def test_what_was_made_comes_with_its_receipt_and_is_paid_for() -> None:
    scene, upstream = await a_scene(), ScriptedOperations(openai=made(dropped=("user",)))
    key = a_key(Limits(requests_per_minute=5, tokens_per_minute=1000))
    done = await performing(scene, upstream)(key, embed())
    assert (done.body, done.content_type) == ({"data": []}, "application/json")
    assert done.receipt.cost == OPENAI_PRICE.cost_of(USAGE) == Money(90)
    assert done.receipt.dropped == ("user",)
    assert [str(attempt) for attempt in done.receipt.attempts] == ["openai/gpt=ok"]
    assert done.receipt.output_cap is None
    # What was set aside for it beyond its use is there again.
    assert left(done.receipt) == [4, 991]
    entry = await scene.entry()
    assert (entry.outcome, entry.usage, entry.cost) == (Outcome.SUCCEEDED, USAGE, Money(90))
    assert entry.priced
    assert not entry.estimated
    assert not entry.streamed
    assert await scene.holds_nothing()


async def test_bytes_come_with_their_type() -> None:
    sound = OperationReply(body=b"\xff", content_type="audio/mpeg")
    asked = OperationRequest.parse(Operation.SPEECH, {"model": "smart", "input": INPUT})
    scene, upstream = await a_scene(), ScriptedOperations(openai=sound)
    done = await performing(scene, upstream)(a_key(), asked)
    assert (done.body, done.content_type) == (b"\xff", "audio/mpeg")
    entry = await scene.entry()
    spoken = Units.of(characters=len(INPUT))
    assert entry.usage == TokenUsage(
        input=len(INPUT) // 4, audio_output=asked.likely_output("gpt"), units=spoken
    )
    assert entry.estimated


async def test_the_caller_asks_for_no_output_so_that_none_is_set_aside_or_capped() -> None:
    scene, upstream = await a_scene(), ScriptedOperations(openai=made())
    await performing(scene, upstream)(a_key(Limits(tokens_per_minute=len(INPUT) + 4)), embed())
    assert upstream.calls[0].output_cap is None
    assert upstream.calls[0].request.body == {"model": "smart", "input": INPUT}
    assert upstream.calls[0].model == "gpt"
    assert upstream.calls[0].credential == "sk"


@pytest.mark.parametrize(
    ("asked", "usage"),
    [
        (embed(), TokenUsage(input=len(INPUT) // 4)),
        (embed([1, 2, 3]), TokenUsage(input=3)),
        (
            OperationRequest.parse(Operation.MODERATIONS, {"model": "smart", "input": INPUT}),
            NO_USAGE,
        ),
        (
            OperationRequest.parse(
                Operation.TRANSCRIPTIONS,
                {"model": "smart"},
                (UploadedFile(name="file", filename="", content_type="", data=bytes(16_000)),),
            ),
            TokenUsage(input=10, units=Units.of(audio_seconds=1)),
        ),
        (
            OperationRequest.parse(Operation.SPEECH, {"model": "smart", "input": "x" * 900}),
            TokenUsage(input=225, audio_output=1_250, units=Units.of(characters=900)),
        ),
    ],
    ids=["text", "tokens", "free", "recording", "speech"],
)
async def test_what_nobody_told_is_estimated_by_what_was_asked(
    asked: OperationRequest, usage: TokenUsage
) -> None:
    scene, upstream = await a_scene(), ScriptedOperations(openai=made(usage=None))
    done = await performing(scene, upstream)(a_key(), asked)
    entry = await scene.entry()
    assert entry.usage == usage
    assert entry.estimated
    assert done.receipt.cost == entry.cost == OPENAI_PRICE.cost_of(usage)


async def test_moderations_of_a_model_without_a_price_cost_nothing() -> None:
    scene = await a_scene(catalogue=Catalogue.of(PROVIDERS, [ROUTE], []))
    asked = OperationRequest.parse(Operation.MODERATIONS, {"model": "smart", "input": INPUT})
    done = await performing(scene, ScriptedOperations(openai=made(usage=None)))(a_key(), asked)
    entry = await scene.entry()
    assert entry.priced
    assert done.receipt.cost == entry.cost == Money(0)


async def test_a_model_without_a_price_has_no_cost_to_tell() -> None:
    scene = await a_scene(catalogue=Catalogue.of(PROVIDERS, [ROUTE], []))
    done = await performing(scene, ScriptedOperations(openai=made()))(a_key(), embed())
    assert done.receipt.cost is None
    assert not (await scene.entry()).priced


async def test_who_has_no_such_thing_is_passed_over() -> None:
    unsupported = OperationUnsupported("openai", "embeddings")
    scene, upstream = await a_scene(), ScriptedOperations(openai=unsupported, mistral=made())
    done = await performing(scene, upstream)(a_key(), embed())
    assert upstream.asked == ["openai", "mistral"]
    told = [str(attempt) for attempt in done.receipt.attempts]
    assert told == ["openai/gpt=unsupported", "mistral/large=ok"]
    assert (await scene.entry()).provider == "mistral"


async def test_nobody_has_it() -> None:
    scene = await a_scene()
    names = ("openai", "mistral", "local")
    upstream = ScriptedOperations(**{n: OperationUnsupported(n, "embeddings") for n in names})
    with pytest.raises(AllTargetsFailed) as caught:
        await performing(scene, upstream)(a_key(), embed())
    assert isinstance(caught.value.last, OperationUnsupported)
    entry = await scene.entry()
    assert (entry.outcome, entry.error, entry.usage) == (Outcome.FAILED, "unsupported", NO_USAGE)
    assert await scene.holds_nothing()


async def test_a_real_failure_says_more_than_that_others_have_no_such_thing() -> None:
    scene = await a_scene()
    upstream = ScriptedOperations(
        openai=ProviderRefused("Down.", provider="openai", status=503),
        mistral=OperationUnsupported("mistral", "embeddings"),
        local=OperationUnsupported("local", "embeddings"),
    )
    with pytest.raises(AllTargetsFailed) as caught:
        await performing(scene, upstream)(a_key(), embed())
    assert isinstance(caught.value.last, ProviderRefused)


async def test_the_callers_fault_asks_nobody_else() -> None:
    scene = await a_scene()
    rejected = RejectedByProvider(
        "No.", provider="openai", status=400, param="dimensions", code=None
    )
    upstream = ScriptedOperations(openai=rejected)
    with pytest.raises(RejectedByProvider) as caught:
        await performing(scene, upstream)(a_key(), embed())
    assert upstream.asked == ["openai"]
    assert caught.value.receipt is not None
    assert (await scene.entry()).outcome is Outcome.FAILED


async def test_what_does_not_fit_a_limit_reaches_nobody() -> None:
    scene, upstream = await a_scene(), ScriptedOperations()
    key = a_key(Limits(tokens_per_minute=len(INPUT) - 1))
    with pytest.raises(LimitReached):
        await performing(scene, upstream)(key, embed())
    assert upstream.calls == []
    assert await scene.entries() == []


@pytest.mark.parametrize(
    ("scene", "allowed", "model", "error"),
    [
        ({}, ("other",), "smart", Forbidden),
        ({}, (), "none", UnknownModel),
        ({"ledger": FullLedger()}, (), "smart", GatewayError),
    ],
)
async def test_what_may_not_be_asked_reaches_nobody(
    scene: dict[str, Any], allowed: tuple[str, ...], model: str, error: type[Exception]
) -> None:
    upstream = ScriptedOperations()
    asked = OperationRequest.parse(Operation.EMBEDDINGS, {"model": model, "input": INPUT})
    with pytest.raises(error):
        await performing(await a_scene(**scene), upstream)(a_key(None, *allowed), asked)
    assert upstream.calls == []


async def test_a_hang_up_is_settled_at_what_was_probably_used() -> None:
    silent = Silent()
    scene, upstream = await a_scene(), ScriptedOperations(openai=silent)
    task = asyncio.ensure_future(performing(scene, upstream)(a_key(), embed([7] * 12)))
    await silent.heard()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    entry = await scene.first_entry()
    assert entry.outcome is Outcome.CLIENT_CANCELLED
    assert entry.usage == TokenUsage(input=12)
    assert entry.estimated
    assert entry.key_id == KEY_ID
    assert await scene.holds_nothing()


PER_UNIT = ModelPrice(
    rates=Rates(input=Money(0), output=Money(0)),
    units=UnitRates(
        {name: Money.from_usd(usd) for name, usd in (("images", "0.04"), ("characters", "15"))}
        | {"audio_seconds": Money.from_usd("0.36")}
    ),
)
A_MINUTE = UploadedFile(name="file", filename="", content_type="", data=bytes(60 * 16_000))


@pytest.mark.parametrize(
    ("operation", "body", "files", "usage", "cost", "most"),
    [
        (Operation.IMAGE_GENERATIONS, {"prompt": "x", "n": 3}, None, None, "0.12", "0.12"),
        (Operation.IMAGE_GENERATIONS, {"prompt": "x"}, None, USAGE, "0.04", "0.04"),
        (Operation.SPEECH, {"input": "x" * 4_096}, None, None, "0.06144", "0.06144"),
        # A minute as it probably is, and 100 as its bytes allow; and as it was told.
        (Operation.TRANSCRIPTIONS, {}, (A_MINUTE,), None, "0.006", "0.6"),
        (
            Operation.TRANSCRIPTIONS,
            {},
            (A_MINUTE,),
            TokenUsage(units=Units.of(audio_seconds=90)),
            "0.009",
            "0.6",
        ),
    ],
)
async def test_what_is_not_sold_by_the_token_is_held_back_and_paid_for(
    operation: Operation,
    body: dict[str, Any],
    files: tuple[UploadedFile, ...] | None,
    usage: TokenUsage | None,
    cost: str,
    most: str,
) -> None:
    priced = DatedPrice(provider="openai", model="gpt", effective_from_ns=0, price=PER_UNIT)
    route = replace(ROUTE, targets=ROUTE.targets[:1])
    scene = await a_scene(catalogue=Catalogue.of(PROVIDERS, [route], [priced]))
    asked = OperationRequest.parse(operation, {"model": "smart", **body}, files)
    assert scene.plan(a_key(), asked).ask.cost_bound == Money.from_usd(most)
    upstream = ScriptedOperations(openai=made(usage=usage))
    done = await performing(scene, upstream)(a_key(), asked)
    assert done.receipt.cost == Money.from_usd(cost)
    entry = await scene.entry()
    assert (entry.cost, entry.priced, entry.estimated) == (done.receipt.cost, True, usage is None)
    assert PER_UNIT.cost_of(entry.usage) == entry.cost


async def test_pictures_hold_back_the_most_tokens_that_a_target_may_take() -> None:
    targets = tuple(
        Target(provider="local", model=model) for model in ("dall-e-3", "gpt-image-1", "x")
    )
    route = replace(ROUTE, targets=targets)
    scene = await a_scene(catalogue=Catalogue.of(PROVIDERS, [route]))
    body = {"model": "smart", "prompt": "x", "quality": "low", "size": "1024x1024", "n": 2}
    asked = OperationRequest.parse(Operation.IMAGE_GENERATIONS, body)
    assert scene.plan(a_key(), asked).ask.output_bound == 2 * 272


async def test_a_picture_that_may_pass_a_limit_is_refused_and_a_smaller_one_is_not() -> None:
    route = replace(ROUTE, targets=(Target(provider="local", model="gpt-image-1"),))
    scene = await a_scene(catalogue=Catalogue.of(PROVIDERS, [route]))
    upstream = ScriptedOperations(local=made())
    perform, key = performing(scene, upstream), a_key(Limits(tokens_per_minute=1_000))

    def a_picture(quality: str) -> OperationRequest:
        body = {"model": "smart", "prompt": "x", "quality": quality, "size": "1024x1024"}
        return OperationRequest.parse(Operation.IMAGE_GENERATIONS, body)

    with pytest.raises(LimitReached) as refused:
        await perform(key, a_picture("high"))
    assert refused.value.refusal.asked == 4_160 + 1
    await perform(key, a_picture("low"))
    assert upstream.asked == ["local"]
