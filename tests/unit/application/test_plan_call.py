import dataclasses
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scene import (
    KEY_ID,
    MISTRAL_PRICE,
    OPENAI_PRICE,
    PRICES,
    PROVIDERS,
    ROUTE,
    START_NS,
    CountingEntropy,
    S,
    Scene,
    ScriptedUpstream,
    a_chat,
    a_key,
)

from langroute.application.calls.plan_call import PlanCall
from langroute.domain.catalogue import Catalogue
from langroute.domain.errors import Forbidden, UnknownModel
from langroute.domain.estimates import input_bound
from langroute.domain.ids import OrganizationId, TeamId
from langroute.domain.limits import Limit, Limits, Measure
from langroute.domain.money import ZERO
from langroute.domain.organizations import Organization, Team, key_scope
from langroute.domain.periods import FOR_GOOD
from langroute.domain.rate_window import RateWindow
from langroute.domain.routes import ModelRoute, Target
from langroute.domain.timeouts import Timeouts

INPUT = input_bound(a_chat().body)


def a_plan(*, route: ModelRoute = ROUTE, default_output_cap: int = 50) -> PlanCall:
    return Scene(
        upstream=ScriptedUpstream(),
        catalogue=Catalogue.of(PROVIDERS, [route], PRICES),
        default_output_cap=default_output_cap,
        timeouts=Timeouts(idle_s=60, total_s=100),
    ).plan


def test_a_model_that_no_route_serves_is_unknown() -> None:
    with pytest.raises(UnknownModel) as refused:
        a_plan()(a_key(), a_chat("stupid"))
    assert refused.value.model == "stupid"


def test_a_model_that_the_key_may_not_use_is_forbidden() -> None:
    with pytest.raises(Forbidden) as refused:
        a_plan()(a_key(None, "gpt-*"), a_chat("smart"))
    assert refused.value.param == "model"
    assert a_plan()(a_key(None, "gpt-*", "sm*t"), a_chat("smart")).targets == ROUTE.targets


@pytest.mark.parametrize("field", ["models", "fallbacks"])
def test_other_models_are_not_named_past_those_that_a_key_may_use(field: str) -> None:
    chat = a_chat("smart", **{field: ["dear"]})
    of_team = Team(id=TeamId(UUID(int=5)), name="ml", allowed_models=("smart",))
    of_all = Organization(id=OrganizationId(UUID(int=6)), name="acme", allowed_models=("smart",))
    for key in (
        a_key(None, "smart"),
        dataclasses.replace(a_key(), team=of_team),
        dataclasses.replace(
            a_key(), team=dataclasses.replace(of_team, allowed_models=(), organization=of_all)
        ),
    ):
        with pytest.raises(Forbidden) as refused:
            a_plan()(key, chat)
        assert refused.value.param == field
        assert a_plan()(key, a_chat("smart", **{field: None})).targets == ROUTE.targets
    assert a_plan()(a_key(), chat).targets == ROUTE.targets


@pytest.mark.parametrize(
    ("callers", "routes", "limit", "reserved", "sent"),
    [
        (None, None, None, 50, None),  # nobody says anything: the default is reserved, not sent
        (None, 30, None, 30, 30),
        (None, 80, None, 80, 80),
        (20, None, None, 20, 20),
        (90, 30, None, 90, 90),  # the caller's own word counts
        (20, None, 10**6, 20, 20),
        (9999, None, INPUT + 40, 9999, 9999),  # admission will refuse it: it was asked for
        (None, None, 10**6, 50, 50),  # with a token limit, what is reserved is enforced
        (None, 30, 10**6, 30, 30),
        (None, None, 100 * INPUT, 50, 50),
        (None, None, INPUT, 1, 1),  # it will be refused, and says by how much
        (None, None, 0, 1, 1),
    ],
)
def test_the_output_that_is_reserved_and_the_cap_that_is_sent(
    callers: int | None,
    routes: int | None,
    limit: int | None,
    reserved: int,
    sent: int | None,
) -> None:
    plan = a_plan(route=dataclasses.replace(ROUTE, output_cap=routes))(
        a_key(Limits(tokens_per_minute=limit)), a_chat(max_completion_tokens=callers)
    )
    assert plan.ask.input_bound == INPUT
    assert plan.ask.output_bound == reserved
    assert plan.output_cap == sent


def test_each_of_several_choices_may_be_as_long_as_the_cap() -> None:
    plan = a_plan()(a_key(), a_chat(n=3, max_tokens=20))
    assert (plan.ask.output_bound, plan.output_cap) == (60, 20)


def test_what_a_caller_predicts_may_be_sold_as_output_beside_the_cap() -> None:
    prediction = {"type": "content", "content": "x" * 1_000}
    plan = a_plan()(a_key(), a_chat(max_tokens=20, prediction=prediction))
    assert 1_020 < plan.ask.output_bound < 1_100
    assert plan.output_cap == 20
    limited = a_plan()(a_key(Limits(tokens_per_minute=3_000)), a_chat(prediction=prediction))
    assert limited.ask.tokens <= 3_000


@given(st.integers(1, 10_000), st.integers(1, 128))
def test_a_call_without_a_cap_fits_an_unused_limit_if_anything_does(
    room: int, choices: int
) -> None:
    limit = INPUT + choices + room
    plan = a_plan(default_output_cap=10**6)(
        a_key(Limits(tokens_per_minute=limit)), a_chat(n=choices)
    )
    assert plan.ask.output_bound == choices * (plan.output_cap or 0)
    assert INPUT + choices <= plan.ask.tokens <= limit


def test_a_call_without_a_cap_leaves_room_for_others() -> None:
    limits = Limits(tokens_per_minute=100 * INPUT)
    ask = a_plan(default_output_cap=10**6)(a_key(limits), a_chat()).ask
    window = RateWindow()
    for _ in range(3):
        slot, window = window.admit(100 * INPUT, ask.tokens, START_NS)
        assert slot is not None


def test_a_call_under_a_budget_is_capped_too() -> None:
    budget = Limit(scope=key_scope(KEY_ID), measure=Measure.MONEY, amount=1, window=FOR_GOOD)
    soft = dataclasses.replace(budget, soft=True)
    capped, free = (
        a_plan(default_output_cap=700)(
            dataclasses.replace(a_key(), further_limits=(one,)), a_chat()
        )
        for one in (budget, soft)
    )
    assert (capped.output_cap, free.output_cap) == (700, None)


def test_a_call_is_asked_for_in_the_name_of_its_team_and_of_whom_it_is_for() -> None:
    organization = Organization(id=OrganizationId(UUID(int=3)), name="acme")
    team = Team(id=TeamId(UUID(int=2)), name="web", organization=organization)
    key = dataclasses.replace(a_key(), team=team)
    ask = a_plan()(key, dataclasses.replace(a_chat(user="ann"), tag="batch")).ask
    assert (ask.team_id, ask.organization_id) == (team.id, organization.id)
    assert (ask.end_user, ask.tag) == ("ann", "batch")


def test_holds_the_price_of_the_dearest_target() -> None:
    ask = a_plan()(a_key(), a_chat(max_tokens=10)).ask
    assert ask.cost_bound == max(OPENAI_PRICE.bound(INPUT, 10), MISTRAL_PRICE.bound(INPUT, 10))
    assert ask.cost_bound == OPENAI_PRICE.cost_of(ask.usage_bound)


def test_a_call_is_priced_only_if_every_target_is() -> None:
    assert not a_plan()(a_key(), a_chat()).ask.priced
    priced = ModelRoute(model="smart", targets=ROUTE.targets[:2])
    assert a_plan(route=priced)(a_key(), a_chat()).ask.priced
    unpriced = ModelRoute(model="smart", targets=ROUTE.targets[2:])
    ask = a_plan(route=unpriced)(a_key(), a_chat()).ask
    assert (ask.cost_bound, ask.priced) == (ZERO, False)


def test_asks_for_what_the_call_is() -> None:
    ask = a_plan()(a_key(), a_chat(stream=True)).ask
    assert (ask.key_id, ask.model, ask.streamed, ask.at_ns) == (KEY_ID, "smart", True, START_NS)


def test_the_lease_outlives_the_longest_call() -> None:
    """A stream's deadline is checked between two chunks, which may be `idle_s` apart."""
    ask = a_plan()(a_key(), a_chat()).ask
    assert ask.lease_until_ns - ask.at_ns >= (100 + 60 + 5) * S


def test_the_same_request_id_gives_the_same_plan_and_another_one_another_order() -> None:
    targets = tuple(Target(provider="openai", model=f"m{number}") for number in range(5))
    route = ModelRoute(model="smart", targets=targets)
    assert a_plan(route=route)(a_key(), a_chat()) == a_plan(route=route)(a_key(), a_chat())
    plan = a_plan(route=route)
    assert len({plan(a_key(), a_chat()).targets for _ in range(50)}) > 10


def test_every_call_has_a_request_id_of_its_own() -> None:
    plan = dataclasses.replace(a_plan(), entropy=CountingEntropy())
    ids = [plan(a_key(), a_chat()).ask.request_id for _ in range(5)]
    assert len(set(ids)) == 5
