from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from hypothesis import assume, given
from hypothesis import strategies as st

from langroute.domain.admission import Ask, Reservation, counted, standing
from langroute.domain.books import Books
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.limits import Limit, Measure, Refusal, Sliding, Standing
from langroute.domain.money import Money
from langroute.domain.organizations import key_scope
from langroute.domain.periods import FOR_GOOD, Every, Period
from langroute.domain.pricing import ModelPrice, Rates, Tier
from langroute.domain.shrinking import shrunk

NOW_NS = 1_800_000_000 * 10**9
SCOPE = key_scope(UUID(int=1))


def a_price(input_: int, output: int, above: int) -> ModelPrice:
    rates = Rates(input=Money(input_), output=Money(output))
    dear = Rates(input=Money(2 * input_), output=Money(3 * output), reasoning=Money(4 * output))
    return ModelPrice(rates=rates, tiers=(Tier(above_prompt_tokens=above, rates=dear),))


PRICES = st.lists(
    st.builds(a_price, st.integers(0, 50), st.integers(0, 50), st.integers(1, 200)), max_size=3
)
WINDOWS = st.sampled_from([Sliding(), Sliding(seconds=5), FOR_GOOD, Period(every=Every.DAY)])


@st.composite
def limits(draw: st.DrawFn) -> Sequence[Limit]:
    made = draw(
        st.lists(
            st.builds(
                lambda measure, amount, window, soft: Limit(
                    scope=SCOPE,
                    measure=measure,
                    amount=amount * (30 if measure is Measure.MONEY else 1),
                    window=FOR_GOOD if measure is Measure.PARALLEL else window,
                    soft=soft,
                ),
                st.sampled_from(Measure),
                st.integers(0, 1_000),
                WINDOWS,
                st.booleans(),
            ),
            max_size=5,
        )
    )
    return list({limit.id: limit for limit in made}.values())


def an_ask(number: int, prices: Sequence[ModelPrice], input_: int, output: int) -> Ask:
    return Ask(
        request_id=RequestId(UUID(int=number)),
        key_id=KeyId(UUID(int=1)),
        model="m",
        streamed=False,
        at_ns=NOW_NS,
        lease_until_ns=NOW_NS,
        input_bound=input_,
        output_bound=output,
        cost_bound=bound(prices, input_, output),
    )


def bound(prices: Sequence[ModelPrice], input_: int, output: int) -> Money:
    return max((price.bound(input_, output) for price in prices), default=Money(0))


def standings_of(books: Books, ask: Ask, limits: Sequence[Limit]) -> list[Standing]:
    return [
        standing(c.limit, books.counters.get(c.counter_id) or c.limit.fresh(), NOW_NS)
        for c in counted(ask, limits)
    ]


@given(
    prices=PRICES,
    limits=limits(),
    before=st.lists(st.integers(0, 300), max_size=4),
    input_=st.integers(0, 300),
    cap=st.integers(1, 2_000),
    choices=st.integers(1, 4),
    rejected=st.just(0) | st.integers(0, 300),
)
def test_what_is_shrunk_is_admitted_whenever_one_token_is_and_is_as_large_as_can_be(
    prices: list[ModelPrice],
    limits: list[Limit],
    before: list[int],
    input_: int,
    cap: int,
    choices: int,
    rejected: int,
) -> None:
    books = Books()
    for number, tokens in enumerate(before):
        _, books = books.admit(an_ask(number, prices, tokens, tokens), limits, NOW_NS)

    def of(tokens: int) -> Ask:
        return an_ask(99, prices, input_, tokens * choices + rejected)

    found = shrunk(
        of(cap),
        cap,
        choices,
        lambda output: bound(prices, input_, output),
        standings_of(books, of(cap), limits),
    )

    least, _ = books.admit(of(1), limits, NOW_NS)
    assert (found is not None) == isinstance(least, Reservation)
    if found is None:
        return
    fits, ask = found
    assert 1 <= fits <= cap
    assert ask == of(fits)
    assert isinstance(books.admit(ask, limits, NOW_NS)[0], Reservation)
    if fits < cap:
        assert isinstance(books.admit(of(fits + 1), limits, NOW_NS)[0], Refusal)


@given(cap=st.integers(1, 10**9), room=st.integers(1, 10**9))
def test_a_cap_that_fits_stays_as_it_is(cap: int, room: int) -> None:
    assume(cap + 10 <= room)
    limit = Limit(scope=SCOPE, measure=Measure.TOKENS, amount=room)
    ask = an_ask(1, (), 10, cap)
    assert shrunk(ask, cap, 1, lambda _: Money(0), standings_of(Books(), ask, [limit])) == (
        cap,
        ask,
    )


def test_nothing_else_of_the_call_is_changed() -> None:
    limit = Limit(scope=SCOPE, measure=Measure.TOKENS, amount=100)
    ask = replace(an_ask(1, (), 10, 4_000), end_user="ann", tag="batch", streamed=True)
    found = shrunk(ask, 1_000, 4, lambda _: Money(7), standings_of(Books(), ask, [limit]))
    assert found == (22, replace(ask, output_bound=88, cost_bound=Money(7)))
