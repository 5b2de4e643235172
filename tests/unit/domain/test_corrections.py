from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.charges import NO_CHARGE, charge_of
from langroute.domain.corrections import BookedCall, UsageDifference
from langroute.domain.ids import KeyId, RequestId
from langroute.domain.ledger import LedgerEntry, Outcome
from langroute.domain.money import Money
from langroute.domain.usage import TOKEN_CLASSES, TokenUsage

COUNTS = st.integers(0, 2**40)
USAGES = st.builds(TokenUsage, **dict.fromkeys(TOKEN_CLASSES, COUNTS))
MONEY = st.integers(0, 10**24).map(Money)
STATES = st.tuples(USAGES, MONEY, st.booleans(), st.booleans())

ENTRY = LedgerEntry(
    request_id=RequestId(uuid4()),
    key_id=KeyId(uuid4()),
    at_ns=1_000,
    duration_ns=1,
    model="m",
    outcome=Outcome.EXPIRED,
    attempts=0,
    streamed=True,
    usage=TokenUsage(input=10, output=20),
    cost=Money(30),
    estimated=True,
)


@given(USAGES, USAGES)
def test_a_difference_leads_from_one_usage_to_the_other(
    before: TokenUsage, after: TokenUsage
) -> None:
    difference = UsageDifference.between(before, after)

    assert difference.added_to(before) == after
    assert difference.total == after.total - before.total
    assert difference.prompt_tokens == after.prompt_tokens - before.prompt_tokens
    assert difference.completion_tokens == after.completion_tokens - before.completion_tokens
    assert UsageDifference.between(after, before).added_to(after) == before


@given(st.lists(STATES, min_size=1, max_size=5))
def test_a_call_comes_to_what_it_was_corrected_to_last(
    states: list[tuple[TokenUsage, Money, bool, bool]],
) -> None:
    call = BookedCall(entry=ENTRY)
    for usage, cost, priced, estimated in states:
        correction = call.corrected(
            usage=usage,
            cost=cost,
            priced=priced,
            estimated=estimated,
            reason="r",
            posted_at_ns=1,
        )
        call = call.with_(correction)

    assert (call.usage, call.cost, call.priced, call.estimated) == states[-1]
    assert call.entry == ENTRY
    assert [each.number for each in call.corrections] == list(range(1, len(states) + 1))


@given(st.lists(STATES, max_size=5))
def test_what_a_call_is_charged_is_the_sum_of_its_postings(
    states: list[tuple[TokenUsage, Money, bool, bool]],
) -> None:
    call = BookedCall(entry=ENTRY)
    charged = charge_of(ENTRY)
    for usage, cost, priced, estimated in states:
        correction = call.corrected(
            usage=usage,
            cost=cost,
            priced=priced,
            estimated=estimated,
            reason="r",
            posted_at_ns=1,
        )
        charged += charge_of(correction)
        call = call.with_(correction)

    assert (charged.calls, charged.cost) == (1, call.cost)
    assert charged.prompt_tokens == call.usage.prompt_tokens
    assert charged.completion_tokens == call.usage.completion_tokens
    assert charged.unpriced_calls == (not call.priced)
    assert charged.estimated_calls == call.estimated
    assert NO_CHARGE + charged == charged


def test_less_than_nothing_is_left_of_no_usage() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        UsageDifference({"input": -1}).added_to(TokenUsage(output=5))


@pytest.mark.parametrize("by_class", [{"tokens": 1}, {"input": 0}, {"input": True}, {"input": 1.5}])
def test_a_difference_is_of_whole_tokens_of_a_class(by_class: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="cannot differ"):
        UsageDifference(by_class)


@pytest.mark.parametrize("wrong", [{"number": 0}, {"reason": ""}])
def test_a_correction_has_a_number_and_a_reason(wrong: dict[str, object]) -> None:
    good = BookedCall(entry=ENTRY).corrected(
        usage=ENTRY.usage, cost=ENTRY.cost, reason="r", posted_at_ns=1
    )
    with pytest.raises(ValueError, match="correction"):
        replace(good, **wrong)  # type: ignore[arg-type]
