"""What a past call would have cost, and reserved, at other prices and with other targets."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.catalogue import Catalogue
from langroute.domain.ledger import Outcome
from langroute.domain.money import ZERO, Money
from langroute.domain.past_calls import PastCall
from langroute.domain.pricing import DatedPrice, ModelPrice, PriceBook, Rates
from langroute.domain.routes import ModelRoute, Target
from langroute.domain.simulation import Simulation
from langroute.domain.supposed_calls import supposed
from langroute.domain.units import UnitRates, Units
from langroute.domain.usage import TokenUsage
from langroute.domain.what_if import WhatIf
from past_traffic import START_NS, S, a_past_call, corrected, traffic

# What `a_past_call` has: it used 3 + 1 tokens, of 4 + 6 that were reserved.
USED, RESERVED = 4, 10


def a_price(pico: int, provider: str = "p", model: str = "up", since_ns: int = 0) -> DatedPrice:
    rates = Rates(input=Money(pico), output=Money(pico))
    return DatedPrice(
        provider=provider,
        model=model,
        effective_from_ns=since_ns,
        price=ModelPrice(rates=rates),
    )


def a_route(*targets: tuple[str, str], model: str = "m", order: Sequence[int] = ()) -> ModelRoute:
    return ModelRoute(
        model=model,
        targets=tuple(
            Target(provider=provider, model=name, order=place)
            for (provider, name), place in zip(targets, order or range(len(targets)), strict=True)
        ),
    )


PRESENT = Catalogue.of(
    routes=[a_route(("p", "up"), ("q", "other"))],
    prices=[a_price(3), a_price(5, "q", "other"), a_price(7, "r", "third")],
)


def test_nothing_is_other_than_it_was_where_nothing_is_supposed() -> None:
    past = a_past_call(cost=Money(99))

    call = supposed(past, WhatIf(present=PRESENT))

    assert past.ask is not None
    assert (call.ask, call.provider) == (past.ask, "p")
    assert (call.usage, call.cost, call.priced) == (past.call.usage, Money(99), True)
    assert call.ends_ns == START_NS + S


def test_another_price_is_that_of_all_calls_that_it_is_in_force_for() -> None:
    prices = PriceBook.of([a_price(10, since_ns=START_NS)])

    before = supposed(a_past_call(at_ns=START_NS - 1), WhatIf(present=PRESENT, prices=prices))
    after = supposed(a_past_call(), WhatIf(present=PRESENT, prices=prices))

    assert (before.cost, before.ask.cost_bound) == (Money(3 * USED), Money(3 * RESERVED))
    assert (after.cost, after.ask.cost_bound) == (Money(10 * USED), Money(10 * RESERVED))


def test_a_call_reserves_enough_for_the_dearest_of_its_targets() -> None:
    prices = PriceBook.of([a_price(20, "q", "other")])

    call = supposed(a_past_call(), WhatIf(present=PRESENT, prices=prices))

    assert (call.cost, call.ask.cost_bound) == (Money(3 * USED), Money(20 * RESERVED))


def test_a_model_that_had_no_price_has_one() -> None:
    past = a_past_call(priced=False, cost=ZERO)

    call = supposed(past, WhatIf(prices=PriceBook.of([a_price(10)])))

    assert (call.cost, call.priced, call.ask.priced) == (Money(10 * USED), True, True)


def test_of_another_route_the_first_target_answers_and_each_may() -> None:
    routed = Catalogue.of(routes=[a_route(("r", "third"), ("q", "other"))])

    call = supposed(a_past_call(), WhatIf(present=PRESENT, routed=routed))
    another = supposed(a_past_call(model="n"), WhatIf(present=PRESENT, routed=routed))

    assert (call.provider, call.cost) == ("r", Money(7 * USED))
    assert call.ask.cost_bound == Money(7 * RESERVED)
    assert (another.provider, another.cost) == ("p", Money(3 * USED))


def test_a_route_leads_where_its_wildcard_says() -> None:
    routed = Catalogue.of(routes=[a_route(("r", "*"), model="vendor/*")])

    call = supposed(a_past_call(model="vendor/third"), WhatIf(present=PRESENT, routed=routed))

    assert (call.provider, call.cost) == ("r", Money(7 * USED))


def test_a_target_without_a_price_is_unpriced_unless_nothing_was_used() -> None:
    routed = Catalogue.of(routes=[a_route(("s", "fourth"))])
    what_if = WhatIf(present=PRESENT, routed=routed)

    call = supposed(a_past_call(), what_if)
    nothing = supposed(a_past_call(usage=TokenUsage()), what_if)

    assert (call.cost, call.priced, call.ask.priced) == (ZERO, False, False)
    assert (nothing.cost, nothing.priced) == (ZERO, True)


def test_a_name_that_no_target_can_have_is_answered_as_it_was() -> None:
    routed = Catalogue.of(routes=[a_route(("r", "*"), model="*")])

    call = supposed(a_past_call(model="a*b*c"), WhatIf(present=PRESENT, routed=routed))

    assert (call.provider, call.cost) == ("p", Money(3 * USED))


def test_a_call_that_nobody_answered_is_answered_by_nobody() -> None:
    failed = a_past_call(
        provider=None, upstream_model=None, outcome=Outcome.FAILED, usage=TokenUsage()
    )
    routed = Catalogue.of(routes=[a_route(("r", "third"))])

    call = supposed(failed, WhatIf(present=PRESENT, routed=routed))

    assert (call.provider, call.cost, call.priced) == (None, ZERO, True)


def test_a_call_that_expired_comes_to_its_bound() -> None:
    lost = a_past_call(
        provider=None,
        upstream_model=None,
        outcome=Outcome.EXPIRED,
        usage=TokenUsage(input=4, output=6),
    )
    what_if = WhatIf(present=PRESENT, prices=PriceBook.of([a_price(11, "q", "other")]))

    assert supposed(lost, what_if).cost == Money(11 * RESERVED)
    known = corrected(lost, cost=Money(1), usage=TokenUsage(input=1))
    assert supposed(known, what_if).cost == Money(1)


def test_a_corrected_call_is_what_it_was_corrected_to() -> None:
    past = corrected(
        corrected(a_past_call(), usage=TokenUsage(input=30), cost=Money(50)),
        usage=TokenUsage(input=20),
        cost=Money(40),
    )

    as_it_was = supposed(past, WhatIf(present=PRESENT))
    dearer = supposed(past, WhatIf(present=PRESENT, prices=PriceBook.of([a_price(10)])))

    assert (as_it_was.usage.total, as_it_was.cost) == (20, Money(40))
    assert dearer.cost == Money(200)


def test_a_service_costs_what_it_costs_beside_the_ordinary_one() -> None:
    past = a_past_call(usage=TokenUsage(input=3, output=1, service="priority"))
    prices = PriceBook.of([a_price(10)])

    call = supposed(past, WhatIf(present=PRESENT, prices=prices))

    # Nobody knows what that service costs there: it may be dearer.
    assert (call.cost, call.priced, call.ask.priced) == (Money(40), True, False)


def test_what_is_not_sold_by_the_token_costs_what_it_costs_there() -> None:
    past = a_past_call(usage=TokenUsage(units=Units.of(images=2)))
    price = ModelPrice(rates=Rates(input=ZERO, output=ZERO), units=UnitRates({"images": Money(7)}))
    prices = PriceBook.of([DatedPrice(provider="p", model="up", effective_from_ns=0, price=price)])

    call = supposed(past, WhatIf(prices=prices))
    unpriced = supposed(past, WhatIf(routed=Catalogue.of(routes=[a_route(("s", "x"))])))

    assert (call.cost, call.ask.cost_bound, call.priced) == (Money(14), Money(14), True)
    assert (unpriced.cost, unpriced.priced) == (ZERO, False)


@given(traffic(), st.integers(0, 10**6))
def test_twice_the_price_is_twice_the_cost(calls: list[PastCall], pico: int) -> None:
    def cost_at(price: int) -> int:
        simulation = Simulation(WhatIf(prices=PriceBook.of([a_price(price)])), 0)
        for call in calls:
            simulation.replay(call)
        return simulation.result().total.admitted.cost

    assert cost_at(2 * pico) == 2 * cost_at(pico)
    assert cost_at(3) == sum(call.call.cost.pico for call in calls)
