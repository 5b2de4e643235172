from dataclasses import replace

import pytest
from scene import (
    OPENAI_PRICE,
    PRICES,
    PROVIDERS,
    ROUTE,
    Scene,
    ScriptedUpstream,
    a_chat,
    a_key,
)

from langroute.application.calls.plan import Plan
from langroute.domain.catalogue import Catalogue
from langroute.domain.chat import ChatRequest
from langroute.domain.money import Money
from langroute.domain.pricing import ModelPrice, Rates, Service

_DEAR = ModelPrice(rates=Rates(input=Money(10**9), output=Money(10**9)))
_CHEAP = ModelPrice(rates=Rates(input=Money(1), output=Money(1)))


def planned(service: str | None, *services: Service) -> Plan[ChatRequest]:
    """At OpenAI's services, with Mistral standing in, which has none."""
    priced = [
        replace(row, price=replace(row.price, services=services))
        if row.price == OPENAI_PRICE
        else row
        for row in PRICES
    ]
    names = {(row.provider, row.model) for row in priced}
    targets = tuple(t for t in ROUTE.targets if (t.provider, t.model) in names)
    route = replace(ROUTE, targets=targets)
    scene = Scene(upstream=ScriptedUpstream(), catalogue=Catalogue.of(PROVIDERS, [route], priced))
    chat = a_chat()
    asked = {} if service is None else {"service_tier": service}
    return scene.plan(a_key(), replace(chat, body={**chat.body, **asked}))


def test_the_service_that_is_asked_for_is_held_back() -> None:
    services = (Service("flex", _CHEAP), Service("priority", _DEAR))
    ordinary = planned(None, *services).ask
    assert ordinary == replace(planned(None).ask, request_id=ordinary.request_id)
    assert planned("default", *services).ask.cost_bound == ordinary.cost_bound
    # It is for the provider to say that it did answer later, and for less.
    assert planned("flex", *services).ask.cost_bound == ordinary.cost_bound
    dear = planned("priority", *services).ask
    assert dear.cost_bound == _DEAR.bound(dear.input_bound, dear.output_bound)
    assert dear.cost_bound > ordinary.cost_bound
    # Whichever OpenAI's project is set to.
    assert planned("auto", *services).ask.cost_bound == dear.cost_bound


@pytest.mark.parametrize(
    ("service", "priced"), [(None, True), ("auto", True), ("flex", True), ("priority", False)]
)
def test_what_may_be_dearer_and_has_no_price_is_not_priced(
    service: str | None, *, priced: bool
) -> None:
    """So that a budget refuses it."""
    assert planned(service).ask.priced is priced
    assert planned(service, Service("priority", _DEAR)).ask.priced


def test_another_service_s_price_is_no_price() -> None:
    assert not planned("priority", Service("flex", _CHEAP)).ask.priced


def test_usage_that_nobody_told_was_at_the_service_that_was_asked_for() -> None:
    assert planned("priority").likely_usage(5).service == "priority"
    assert planned(None).likely_usage(5).service is planned("auto").likely_usage(5).service is None
