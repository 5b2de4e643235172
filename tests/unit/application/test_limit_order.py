from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from langroute.application.organizations.limit_order import CALENDAR, EVER, SLIDING, LimitOrder
from langroute.domain.errors import InvalidRequest
from langroute.domain.limits import Limit, Measure, Sliding
from langroute.domain.organizations import team_scope
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.entrypoints.organization_views import limit_view

TEAM = team_scope(UUID(int=1))

PATTERNS = st.none() | st.sampled_from(["*", "gpt-*", "ünï code", "x"])
PERIODS = st.builds(
    Period,
    every=st.sampled_from([Every.DAY, Every.WEEK, Every.MONTH]),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns"]),
)
WINDOWS = PERIODS | st.just(FOR_GOOD) | st.builds(Sliding, seconds=st.integers(1, 31 * 86_400))


@st.composite
def limits(draw: st.DrawFn) -> Limit:
    measure = draw(st.sampled_from(Measure))
    most = 10**27 if measure is Measure.MONEY else 10**15
    return Limit(
        scope=TEAM,
        measure=measure,
        amount=draw(st.integers(0, most)),
        window=FOR_GOOD if measure is Measure.PARALLEL else draw(WINDOWS),
        model=draw(PATTERNS),
        end_user=draw(PATTERNS),
        tag=draw(PATTERNS),
        soft=draw(st.booleans()),
    )


def order_of(view: Mapping[str, Any]) -> LimitOrder:
    given_back = {name: value for name, value in view.items() if name != "id"}
    measure, amount = Measure(view["measure"]), Decimal(view["amount"])
    return LimitOrder(**{**given_back, "measure": measure, "amount": amount})


@given(limits())
def test_a_limit_that_is_shown_may_be_ordered_anew(limit: Limit) -> None:
    assert order_of(limit_view(limit)).limit(TEAM) == limit


@given(
    measure=st.sampled_from(Measure),
    amount=st.decimals(),
    per=st.none() | st.integers() | st.sampled_from([*SLIDING, *CALENDAR, EVER]) | st.text(),
    zone=st.none() | st.sampled_from(["UTC", "Europe/Berlin"]) | st.text(),
    pattern=st.none() | st.text(),
)
def test_whatever_is_ordered_is_a_limit_or_names_the_wrong_field(
    measure: Measure, amount: Decimal, per: int | str | None, zone: str | None, pattern: str | None
) -> None:
    order = LimitOrder(measure=measure, amount=amount, per=per, zone=zone, model=pattern)
    wrong = None
    try:
        limit = order.limit(TEAM, "limits.3")
    except InvalidRequest as error:
        wrong = error.param
    else:
        assert (limit.measure, limit.model) == (measure, pattern)
    assert wrong in {None, *(f"limits.3.{name}" for name in ("amount", "per", "zone", "model"))}


@given(limits(), st.integers(0, 10**15), st.booleans())
def test_how_much_is_allowed_does_not_make_another_limit(
    limit: Limit, amount: int, soft: bool
) -> None:
    view = limit_view(limit)
    assume(limit.amount != amount)

    changed = order_of({**view, "amount": str(amount), "soft": soft}).limit(TEAM)

    assert changed.id == limit.id


@pytest.mark.parametrize(
    ("per", "window"),
    [
        ("minute", Sliding(seconds=60)),
        ("hour", Sliding(seconds=3600)),
        (86_400, Sliding(seconds=86_400)),
        ("day", Period(every=Every.DAY)),
        ("week", Period(every=Every.WEEK)),
        ("month", Period(every=Every.MONTH)),
        ("ever", FOR_GOOD),
    ],
)
def test_minutes_and_hours_slide_and_days_are_the_calendars(
    per: int | str, window: Sliding | Period
) -> None:
    order = LimitOrder(measure=Measure.TOKENS, amount=Decimal(1), per=per)
    assert order.limit(TEAM).window == window


def test_parallel_calls_need_no_window() -> None:
    for per in (None, "ever"):
        limit = LimitOrder(measure=Measure.PARALLEL, amount=Decimal(3), per=per).limit(TEAM)
        assert limit.window == FOR_GOOD
