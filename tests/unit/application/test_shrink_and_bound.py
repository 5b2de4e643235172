"""Calls that are made smaller, so that they fit; and calls that have no bound."""

import dataclasses
from typing import Any

import pytest
from scene import (
    KEY_ID,
    OPENAI_PRICE,
    PRICES,
    PROVIDERS,
    ROUTE,
    USAGE,
    Scene,
    ScriptedUpstream,
    a_chat,
    a_key,
    a_reply,
)

from langroute.application.calls.quote_call import QuoteCall
from langroute.domain.catalogue import Catalogue
from langroute.domain.chat import ChatRequest
from langroute.domain.errors import LimitReached, UnboundedField
from langroute.domain.estimates import input_bound
from langroute.domain.keys import VirtualKey
from langroute.domain.limits import Limit, Limits, Measure
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD

INPUT = input_bound(a_chat(max_tokens=1_000).body)
PRICED = dataclasses.replace(ROUTE, targets=ROUTE.targets[:1])


async def a_scene(*, shrinks: bool = False) -> Scene:
    route = dataclasses.replace(PRICED, shrink=shrinks)
    scene = Scene(
        upstream=ScriptedUpstream(openai=[a_reply(), a_reply(), a_reply()]),
        catalogue=Catalogue.of(PROVIDERS, [route], PRICES),
    )
    return await scene.save("secret", "openai")


def asking(shrink: bool | None = None, **fields: Any) -> ChatRequest:
    return dataclasses.replace(a_chat(max_tokens=1_000, **fields), shrink=shrink)


def of_money(pico: int) -> VirtualKey:
    budget = Limit(scope=key_scope(KEY_ID), measure=Measure.MONEY, amount=pico, window=FOR_GOOD)
    return dataclasses.replace(a_key(), further_limits=(budget,))


def of_tokens(tokens: int) -> VirtualKey:
    return a_key(Limits(tokens_per_minute=tokens))


async def test_a_cap_that_does_not_fit_is_lowered_sent_and_told() -> None:
    scene = await a_scene()
    completed = await scene.complete_chat(of_tokens(INPUT + 100), asking(shrink=True))
    assert completed.receipt.output_cap == 100
    assert completed.receipt.shrunk_from == 1_000
    assert [call.output_cap for call in scene.upstream.calls] == [100]
    assert (await scene.entry()).usage == USAGE


async def test_each_of_several_choices_has_its_part_of_what_is_left() -> None:
    scene = await a_scene()
    completed = await scene.complete_chat(of_tokens(INPUT + 110), asking(shrink=True, n=3))
    assert completed.receipt.output_cap == 36


async def test_money_is_shrunk_to_at_the_price_of_the_dearest_target() -> None:
    scene = await a_scene()
    budget = OPENAI_PRICE.bound(INPUT, 70).pico + 50
    completed = await scene.complete_chat(of_money(budget), asking(shrink=True))
    assert completed.receipt.output_cap == 70


async def test_a_call_is_not_shrunk_unless_it_may_be() -> None:
    scene = await a_scene()
    with pytest.raises(LimitReached) as refused:
        await scene.complete_chat(of_tokens(INPUT + 100), asking())
    assert refused.value.refusal.asked == INPUT + 1_000
    assert scene.upstream.calls == []


async def test_the_route_may_say_so_and_the_caller_the_contrary() -> None:
    scene = await a_scene(shrinks=True)
    key = of_tokens(INPUT + 100)
    with pytest.raises(LimitReached):
        await scene.complete_chat(key, asking(shrink=False))
    assert (await scene.complete_chat(key, asking())).receipt.output_cap == 100


async def test_a_call_that_fits_is_left_as_it_is() -> None:
    scene = await a_scene()
    receipt = (await scene.complete_chat(of_tokens(10**6), asking(shrink=True))).receipt
    assert (receipt.output_cap, receipt.shrunk_from) == (None, None)


@pytest.mark.parametrize("limits", [Limits(tokens_per_minute=INPUT), Limits(requests_per_minute=0)])
async def test_a_call_whose_input_does_not_fit_is_refused(limits: Limits) -> None:
    scene = await a_scene()
    with pytest.raises(LimitReached) as refused:
        await scene.complete_chat(a_key(limits), asking(shrink=True))
    assert refused.value.receipt is not None
    assert refused.value.receipt.refusal == refused.value.refusal


@pytest.mark.parametrize("key", [of_tokens(10**6), of_money(10**12)])
async def test_what_nobody_can_bound_is_refused_where_a_bound_has_to_hold(key: VirtualKey) -> None:
    scene = await a_scene()
    with pytest.raises(UnboundedField) as refused:
        await scene.complete_chat(key, asking(web_search_options={}))
    assert refused.value.param == "web_search_options"
    assert "a minute of the key" in str(refused.value) or "money of the key" in str(refused.value)
    assert scene.upstream.calls == []


async def test_what_nobody_can_bound_is_let_in_where_nothing_has_to_hold() -> None:
    scene = await a_scene()
    soft = Limit(scope=key_scope(KEY_ID), measure=Measure.MONEY, amount=1, soft=True)
    others = Limit(scope=key_scope(KEY_ID), measure=Measure.TOKENS, amount=1, model="other-*")
    key = dataclasses.replace(a_key(Limits(requests_per_minute=5)), further_limits=(soft, others))
    await scene.complete_chat(key, asking(web_search_options={}))
    assert scene.upstream.asked == ["openai"]


async def test_a_limit_of_other_models_caps_nothing() -> None:
    others = Limit(scope=key_scope(KEY_ID), measure=Measure.TOKENS, amount=10, model="other-*")
    key = dataclasses.replace(a_key(), further_limits=(others,))
    assert (await a_scene()).plan(key, a_chat()).output_cap is None


async def test_a_quote_tells_what_would_be_decided_and_takes_nothing() -> None:
    scene = await a_scene()
    quote_call = QuoteCall(scene.plan, scene.admission)
    key = of_tokens(INPUT + 1_000)
    for _ in range(3):
        quote = await quote_call(key, asking())
        assert quote.refusal is None
        assert quote.plan.ask.cost_bound == Money(OPENAI_PRICE.bound(INPUT, 1_000).pico)
    await scene.complete_chat(key, asking())
    refused = await quote_call(key, asking())
    assert refused.refusal is not None
    assert refused.refusal.retry_after_ns is not None
    smaller = await quote_call(key, asking(shrink=True))
    assert smaller.refusal is None
    assert smaller.plan.shrunk_from == 1_000
    completed = await scene.complete_chat(key, asking(shrink=True))
    assert completed.receipt.output_cap == smaller.plan.output_cap
