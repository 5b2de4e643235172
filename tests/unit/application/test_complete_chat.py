import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import (
    KEY_ID,
    LOCAL,
    MISTRAL_PRICE,
    OPENAI,
    OPENAI_PRICE,
    PRICES,
    PROVIDERS,
    ROUTE,
    START_NS,
    USAGE,
    Answer,
    FullLedger,
    Held,
    Scene,
    ScriptedUpstream,
    Silent,
    a_chat,
    a_key,
    a_reply,
    left,
)

from langroute.adapters.memory.credentials import MemoryCredentials
from langroute.domain.attempts import told
from langroute.domain.catalogue import Catalogue
from langroute.domain.credentials import Credential
from langroute.domain.errors import (
    AllTargetsFailed,
    CredentialMissing,
    CredentialUnreadable,
    LedgerFull,
    LimitReached,
    ProviderBrokeOff,
    ProviderError,
    ProviderRefused,
    ProviderTimedOut,
    ProviderUndefined,
    ProviderUnreachable,
    RejectedByProvider,
    StoreUnavailable,
    UnsupportedField,
)
from langroute.domain.estimates import input_bound, likely_tokens
from langroute.domain.ids import KeyId
from langroute.domain.ledger import Outcome
from langroute.domain.limits import Limits, Measure
from langroute.domain.money import ZERO
from langroute.domain.pricing import DatedPrice
from langroute.domain.routes import ModelRoute
from langroute.domain.timeouts import Timeouts
from langroute.domain.usage import NO_USAGE, TokenUsage

INPUT = input_bound(a_chat().body)
ALL_OF_IT = TokenUsage(input=likely_tokens(INPUT), output=50)
"""What a whole answer comes to, by an estimate, that nobody has seen."""


def refused(provider: str, status: int = 500) -> ProviderRefused:
    return ProviderRefused("It is ill.", provider=provider, status=status)


def rejected(provider: str = "openai") -> RejectedByProvider:
    return RejectedByProvider(
        "The text is too long.", provider=provider, status=400, param="messages", code="too_long"
    )


async def a_scene(**answers: Answer | list[Answer]) -> Scene:
    return await Scene(upstream=ScriptedUpstream(**answers)).save("sk-all", "openai", "mistral")


async def test_an_answer_comes_back_as_the_provider_gave_it_and_is_paid_for() -> None:
    reply = a_reply()._replace(dropped=("logit_bias",))
    scene = await a_scene(openai=reply)
    key = a_key(Limits(requests_per_minute=10, tokens_per_minute=1_000))
    completed = await scene.complete_chat(key, a_chat())

    assert completed.body == reply.body
    cost = OPENAI_PRICE.cost_of(USAGE)
    receipt = completed.receipt
    assert (receipt.cost, receipt.dropped) == (cost, ("logit_bias",))
    assert told(receipt.attempts) == "openai/gpt=ok"
    assert left(receipt) == [9, 1_000 - USAGE.total]
    assert receipt.output_cap == 50

    entry = await scene.entry()
    assert (entry.request_id, entry.key_id) == (receipt.request_id, KEY_ID)
    assert (entry.outcome, entry.error, entry.attempts) == (Outcome.SUCCEEDED, None, 1)
    assert (entry.model, entry.provider, entry.upstream_model) == ("smart", "openai", "gpt")
    assert (entry.usage, entry.cost, entry.priced) == (USAGE, cost, True)
    assert (entry.estimated, entry.streamed, entry.at_ns) == (False, False, START_NS)
    assert await scene.tokens_used() == USAGE.total
    assert await scene.holds_nothing()


async def test_a_provider_is_asked_with_its_own_model_and_credential_and_the_cap() -> None:
    scene = await a_scene(openai=a_reply())
    chat = a_chat()
    await scene.complete_chat(a_key(Limits(tokens_per_minute=1_000)), chat)
    (call,) = scene.upstream.calls
    assert (call.provider, call.model, call.credential) == (OPENAI, "gpt", "sk-all")
    assert (call.request, call.output_cap, call.timeouts) == (chat, 50, scene.timeouts)
    assert "sk-all" not in repr(call)


async def test_a_keys_own_credential_goes_before_the_one_for_every_key() -> None:
    scene = await a_scene(openai=a_reply())
    own = Credential(owner=KEY_ID, provider="openai", sealed=f"openai:{KEY_ID}|sk-own")
    await scene.credentials.put(own)
    await scene.complete_chat(a_key(), a_chat())
    assert scene.upstream.calls[0].credential == "sk-own"


async def test_the_cap_is_told_only_where_the_gateway_chose_it() -> None:
    scene = await a_scene(openai=a_reply())
    completed = await scene.complete_chat(a_key(), a_chat(max_tokens=20))
    assert completed.receipt.output_cap is None


async def test_a_failure_leads_to_the_next_target_in_order() -> None:
    scene = await a_scene(
        openai=refused("openai", 503),
        mistral=ProviderUnreachable("No route to host.", provider="mistral"),
        local=a_reply(),
    )
    completed = await scene.complete_chat(a_key(), a_chat())
    assert scene.upstream.asked == ["openai", "mistral", "local"]
    assert told(completed.receipt.attempts) == (
        "openai/gpt=503, mistral/large=unreachable, local/tiny=ok"
    )
    entry = await scene.entry()
    assert (entry.provider, entry.attempts, entry.outcome) == ("local", 3, Outcome.SUCCEEDED)


async def test_a_provider_that_needs_no_credential_is_asked_without_one() -> None:
    scene = await a_scene(openai=refused("openai"), mistral=refused("mistral"), local=a_reply())
    await scene.complete_chat(a_key(), a_chat())
    assert scene.upstream.calls[-1].provider == LOCAL
    assert scene.upstream.calls[-1].credential is None


async def test_a_missing_or_unreadable_credential_is_the_providers_failure() -> None:
    scene = Scene(upstream=ScriptedUpstream(local=a_reply()))
    await scene.save("spoiled", "mistral")
    completed = await scene.complete_chat(a_key(), a_chat())
    assert scene.upstream.asked == ["local"]
    assert told(completed.receipt.attempts) == (
        "openai/gpt=no-credential, mistral/large=unreadable-credential, local/tiny=ok"
    )


async def test_a_provider_that_is_not_defined_is_passed_over() -> None:
    scene = await a_scene(mistral=a_reply())
    scene.catalogue = Catalogue.of(PROVIDERS[1:], [ROUTE], PRICES)
    completed = await scene.complete_chat(a_key(), a_chat())
    assert told(completed.receipt.attempts) == "openai/gpt=undefined, mistral/large=ok"


async def test_the_callers_fault_ends_the_search_and_costs_nothing() -> None:
    scene = await a_scene(openai=rejected(), mistral=a_reply())
    with pytest.raises(RejectedByProvider) as error:
        await scene.complete_chat(a_key(), a_chat())
    assert scene.upstream.asked == ["openai"]
    entry = await scene.entry()
    assert error.value.receipt is not None
    assert error.value.receipt.request_id == entry.request_id
    assert told(error.value.receipt.attempts) == "openai/gpt=400"
    assert (entry.outcome, entry.error, entry.provider) == (Outcome.FAILED, "400", "openai")
    assert (entry.attempts, entry.usage, entry.cost) == (1, NO_USAGE, ZERO)
    assert (entry.priced, entry.estimated) == (True, False)
    assert await scene.tokens_used() == 0
    assert await scene.holds_nothing()


OPENAI_LIMITED = refused("openai", 429)
MISTRAL_ILL = refused("mistral")


@pytest.mark.parametrize(
    ("saved", "answers", "defined", "last"),
    [
        # Asked, and failed: the last one is told.
        (("openai", "mistral"), (OPENAI_LIMITED, MISTRAL_ILL), True, MISTRAL_ILL),
        # The second was never asked: that the first one failed is the news.
        (("openai",), (OPENAI_LIMITED, None), True, OPENAI_LIMITED),
        (("openai", "mistral"), (OPENAI_LIMITED, None), False, OPENAI_LIMITED),
        (("openai", "-mistral"), (OPENAI_LIMITED, None), True, OPENAI_LIMITED),
        (("mistral",), (None, MISTRAL_ILL), True, MISTRAL_ILL),
        (("-openai", "mistral"), (None, MISTRAL_ILL), True, MISTRAL_ILL),
        # Nobody was asked: whatever stood in the way first.
        ((), (None, None), True, CredentialMissing),
        (("-openai",), (None, None), True, CredentialUnreadable),
        (("-openai", "mistral"), (None, None), False, CredentialUnreadable),
        ((), (None, None), False, CredentialMissing),
    ],
)
async def test_that_all_failed_tells_the_last_one_who_was_really_asked(
    saved: tuple[str, ...],
    answers: tuple[ProviderError | None, ProviderError | None],
    defined: bool,
    last: ProviderError | type[ProviderError],
) -> None:
    openai, mistral = answers
    scene = Scene(
        upstream=ScriptedUpstream(
            openai=[] if openai is None else openai, mistral=[] if mistral is None else mistral
        ),
        catalogue=Catalogue.of(
            PROVIDERS[: 2 if defined else 1],
            [ModelRoute(model="smart", targets=ROUTE.targets[:2])],
        ),
    )
    for name in saved:
        await scene.save("spoiled" if name.startswith("-") else "sk", name.removeprefix("-"))
    with pytest.raises(AllTargetsFailed) as failed:
        await scene.complete_chat(a_key(), a_chat())
    if isinstance(last, type):
        assert type(failed.value.last) is last
    else:
        assert failed.value.last is last
    assert len(failed.value.attempts) == 2
    assert failed.value.receipt is not None
    assert failed.value.receipt.attempts == failed.value.attempts
    entry = await scene.entry()
    assert (entry.outcome, entry.provider) == (Outcome.FAILED, None)
    assert entry.error == failed.value.last.reason
    assert (entry.usage, entry.cost, entry.attempts) == (NO_USAGE, ZERO, 2)
    assert await scene.holds_nothing()


async def test_one_provider_that_is_not_defined_is_told_so() -> None:
    scene = await a_scene()
    scene.catalogue = Catalogue.of([], [ModelRoute(model="smart", targets=ROUTE.targets[:1])])
    with pytest.raises(AllTargetsFailed) as failed:
        await scene.complete_chat(a_key(), a_chat())
    assert isinstance(failed.value.last, ProviderUndefined)


async def test_all_attempts_share_one_deadline() -> None:
    silent = Silent()
    scene = await a_scene(openai=refused("openai"), mistral=silent, local=a_reply())
    scene.timeouts = Timeouts(total_s=0.01)
    with pytest.raises(AllTargetsFailed) as failed:
        async with asyncio.timeout(2):
            await scene.complete_chat(a_key(), a_chat())
    last = failed.value.last
    assert isinstance(last, ProviderTimedOut)
    assert last.provider == "mistral"
    assert told(failed.value.attempts) == "openai/gpt=500, mistral/large=timeout"
    assert scene.upstream.asked == ["openai", "mistral"]
    entry = await scene.entry()
    assert (entry.outcome, entry.error, entry.attempts) == (Outcome.FAILED, "timeout", 2)
    assert (entry.provider, entry.usage, entry.estimated) == ("mistral", ALL_OF_IT, True)
    assert failed.value.receipt is not None
    assert failed.value.receipt.cost == entry.cost == MISTRAL_PRICE.cost_of(ALL_OF_IT)
    assert await scene.tokens_used() == ALL_OF_IT.total
    assert await scene.holds_nothing()


TOO_SLOW = ProviderTimedOut("Too slow.", provider="openai")
NOT_THERE = ProviderUnreachable("No route to host.", provider="mistral")


@pytest.mark.parametrize("second", [NOT_THERE, refused("mistral"), rejected("mistral")])
async def test_an_answer_that_was_made_and_never_came_is_paid_for(
    second: ProviderError | RejectedByProvider,
) -> None:
    """By a marked estimate: or whoever asks for what takes too long would never be stopped."""
    scene = await a_scene(openai=TOO_SLOW, mistral=second, local=refused("local"))
    with pytest.raises((AllTargetsFailed, RejectedByProvider)) as failed:
        await scene.complete_chat(a_key(), a_chat())
    entry = await scene.entry()
    assert (entry.outcome, entry.provider) == (Outcome.FAILED, "openai")
    assert (entry.usage, entry.estimated) == (ALL_OF_IT, True)
    assert failed.value.receipt is not None
    assert failed.value.receipt.cost == entry.cost == OPENAI_PRICE.cost_of(ALL_OF_IT)
    assert await scene.tokens_used() == ALL_OF_IT.total
    assert await scene.holds_nothing()


async def test_what_refused_could_not_be_reached_or_was_no_answer_bills_nothing() -> None:
    half = ProviderBrokeOff("Half of it.", provider="local")
    scene = await a_scene(openai=refused("openai"), mistral=NOT_THERE, local=half)
    with pytest.raises(AllTargetsFailed) as failed:
        await scene.complete_chat(a_key(), a_chat())
    entry = await scene.entry()
    assert (entry.provider, entry.usage, entry.estimated) == (None, NO_USAGE, False)
    assert failed.value.receipt is not None
    assert failed.value.receipt.cost is None


async def test_a_call_that_is_cancelled_settles_once_as_cancelled_by_the_client() -> None:
    """A whole answer may have been made, and is billed, before the provider notices."""
    silent = Silent()
    scene = await a_scene(openai=refused("openai"), mistral=silent)
    call = asyncio.create_task(scene.complete_chat(a_key(), a_chat()))
    await silent.heard()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    entry = await scene.entry()
    assert (entry.outcome, entry.provider) == (Outcome.CLIENT_CANCELLED, "mistral")
    assert (entry.usage, entry.estimated, entry.attempts) == (ALL_OF_IT, True, 2)
    assert entry.cost == MISTRAL_PRICE.cost_of(ALL_OF_IT)
    assert await scene.tokens_used() == ALL_OF_IT.total
    assert await scene.holds_nothing()


class SlowCredentials(MemoryCredentials):
    def __init__(self, gate: Silent) -> None:
        super().__init__()
        self.gate = gate

    async def find(self, owner: KeyId, provider: str) -> Credential | None:
        await self.gate.wait()
        return await super().find(owner, provider)


async def test_a_call_that_is_cancelled_before_anybody_was_asked_costs_nothing() -> None:
    silent = Silent()
    scene = await a_scene()
    scene.credentials = SlowCredentials(silent)
    call = asyncio.create_task(scene.complete_chat(a_key(), a_chat()))
    await silent.heard()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    entry = await scene.entry()
    assert (entry.outcome, entry.provider, entry.usage, entry.estimated, entry.attempts) == (
        Outcome.CLIENT_CANCELLED,
        None,
        NO_USAGE,
        False,
        0,
    )
    assert await scene.holds_nothing()


@given(st.text(min_size=0, max_size=200))
async def test_missing_usage_becomes_a_marked_estimate_and_never_nothing(content: str) -> None:
    scene = await a_scene(openai=a_reply(None, content))
    completed = await scene.complete_chat(a_key(), a_chat())
    entry = await scene.entry()
    assert entry.estimated
    assert entry.usage.prompt_tokens == likely_tokens(INPUT) > 0
    assert entry.usage.completion_tokens >= likely_tokens(len(content.encode())) >= 0
    assert entry.usage.completion_tokens > 0
    assert entry.cost == OPENAI_PRICE.cost_of(entry.usage) == completed.receipt.cost
    assert entry.cost > ZERO


async def test_usage_of_nothing_is_believed_where_the_provider_tells_it() -> None:
    scene = await a_scene(openai=a_reply(NO_USAGE))
    await scene.complete_chat(a_key(), a_chat())
    entry = await scene.entry()
    assert (entry.usage, entry.estimated) == (NO_USAGE, False)


async def test_the_cost_of_a_model_without_a_price_is_unknown_not_nothing() -> None:
    scene = await a_scene(openai=refused("openai"), mistral=refused("mistral"), local=a_reply())
    completed = await scene.complete_chat(a_key(), a_chat())
    entry = await scene.entry()
    assert completed.receipt.cost is None
    assert (entry.usage, entry.cost, entry.priced) == (USAGE, ZERO, False)


async def test_a_call_costs_what_it_cost_when_it_began() -> None:
    held = Held()
    scene = await a_scene(openai=[held, a_reply()])
    dearer = DatedPrice(
        provider="openai", model="gpt", effective_from_ns=START_NS + 1, price=MISTRAL_PRICE
    )
    scene.catalogue = Catalogue.of(PROVIDERS, [ROUTE], [*PRICES, dearer])
    call = asyncio.create_task(scene.complete_chat(a_key(), a_chat()))
    await held.heard()
    scene.clock.advance(30)
    held.let_go.set()
    await call
    entry = await scene.entry()
    assert entry.cost == OPENAI_PRICE.cost_of(USAGE)
    assert entry.duration_ns == entry.first_byte_ns == 30 * 10**9


async def test_what_was_used_beyond_the_reservation_blocks_the_next_call() -> None:
    scene = await a_scene(openai=[a_reply(TokenUsage(input=10, output=1_990)), a_reply()])
    key = a_key(Limits(tokens_per_minute=1_000))
    await scene.complete_chat(key, a_chat(max_tokens=5))
    with pytest.raises(LimitReached) as refusal:
        await scene.complete_chat(key, a_chat(max_tokens=5))
    assert refusal.value.refusal.used == 2_000


async def test_a_refused_call_asks_nobody_and_has_a_receipt() -> None:
    scene = await a_scene(openai=a_reply())
    key = a_key(Limits(requests_per_minute=1, tokens_per_minute=1_000))
    await scene.complete_chat(key, a_chat())
    with pytest.raises(LimitReached) as refusal:
        await scene.complete_chat(key, a_chat())
    assert refusal.value.refusal.limit.measure is Measure.REQUESTS
    receipt = refusal.value.receipt
    assert receipt is not None
    assert receipt.request_id != (await scene.entry()).request_id
    assert left(receipt) == [0, 1_000 - USAGE.total]
    assert (receipt.attempts, receipt.cost) == ((), None)
    assert len(scene.upstream.calls) == 1
    assert await scene.holds_nothing()


async def test_nothing_is_admitted_while_the_ledger_is_full() -> None:
    scene = await a_scene(openai=a_reply())
    scene.ledger = FullLedger()
    with pytest.raises(LedgerFull):
        await scene.complete_chat(a_key(), a_chat())
    assert scene.upstream.asked == []
    assert await scene.tokens_used() == 0
    assert await scene.holds_nothing()


class NoCredentials(MemoryCredentials):
    async def find(self, owner: KeyId, provider: str) -> Credential | None:
        raise StoreUnavailable


async def test_a_failure_of_our_own_is_settled_and_passed_on_with_a_receipt() -> None:
    scene = await a_scene()
    scene.credentials = NoCredentials()
    with pytest.raises(StoreUnavailable) as error:
        await scene.complete_chat(a_key(), a_chat())
    assert error.value.receipt is not None
    entry = await scene.entry()
    assert (entry.outcome, entry.error) == (Outcome.FAILED, "StoreUnavailable")
    assert await scene.holds_nothing()


async def test_an_error_that_nobody_expected_is_settled_and_passed_on() -> None:
    scene = await a_scene(openai=ZeroDivisionError("a bug"), mistral=a_reply())
    with pytest.raises(ZeroDivisionError):
        await scene.complete_chat(a_key(), a_chat())
    entry = await scene.entry()
    assert (entry.outcome, entry.error) == (Outcome.FAILED, "ZeroDivisionError")
    assert await scene.tokens_used() == 0
    assert await scene.holds_nothing()


async def test_calls_at_the_same_time_never_pass_the_limit_together() -> None:
    held = [Held(), Held(), Held()]
    scene = await a_scene(openai=[*held, a_reply(), a_reply(), a_reply()])
    key = a_key(Limits(tokens_per_minute=3 * (INPUT + 10) + 9))
    calls = [asyncio.create_task(scene.complete_chat(key, a_chat(max_tokens=10))) for _ in range(5)]
    await held[2].heard()
    for pause in held:
        pause.let_go.set()
    done = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(isinstance(each, LimitReached) for each in done) == 2
    assert len(scene.upstream.calls) == 3
    assert len(await scene.entries()) == 3
    assert await scene.tokens_used() == 3 * USAGE.total


def cannot_take(field: str, provider: str) -> UnsupportedField:
    return UnsupportedField(f"No {field}.", param=field, provider=provider)


async def test_a_target_that_cannot_take_a_field_is_passed_over() -> None:
    scene = await a_scene(openai=cannot_take("seed", "openai"), mistral=a_reply())
    completed = await scene.complete_chat(a_key(), a_chat())
    assert told(completed.receipt.attempts).startswith("openai/")
    assert "=unsupported, mistral/" in told(completed.receipt.attempts)


async def test_a_field_that_nobody_can_take_is_named() -> None:
    scene = await a_scene(
        openai=cannot_take("seed", "openai"),
        mistral=cannot_take("logprobs", "mistral"),
        local=CredentialMissing("local"),
    )
    with pytest.raises(UnsupportedField) as caught:
        await scene.complete_chat(a_key(), a_chat())
    assert caught.value.param == "logprobs"
    assert caught.value.receipt is not None
    assert len(caught.value.receipt.attempts) == 3
    assert await scene.holds_nothing()


async def test_a_real_failure_is_told_rather_than_a_field_that_the_others_cannot_take() -> None:
    scene = await a_scene(
        openai=refused("openai"),
        mistral=cannot_take("seed", "mistral"),
        local=cannot_take("seed", "local"),
    )
    with pytest.raises(AllTargetsFailed) as caught:
        await scene.complete_chat(a_key(), a_chat())
    assert isinstance(caught.value.last, ProviderRefused)
