from typing import Any

import pytest
from domain_values import TOKEN_CLASSES, usages
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain import usage
from langroute.domain.pricing import Rates
from langroute.domain.usage import NO_USAGE, TokenUsage


def by_class(usage: TokenUsage) -> dict[str, int]:
    return {name: getattr(usage, name) for name in TOKEN_CLASSES}


def test_the_classes_are_those_that_these_tests_know() -> None:
    assert TokenUsage.__slots__ == (*TOKEN_CLASSES, "service", "units")
    assert set(Rates.__slots__) == set(TOKEN_CLASSES)
    assert usage.TOKEN_CLASSES == TOKEN_CLASSES


@pytest.mark.parametrize("name", TOKEN_CLASSES)
def test_a_class_is_input_or_output(name: str) -> None:
    one = TokenUsage.counting({name: 1})
    assert (one.prompt_tokens == 1) == (name in usage.INPUT_CLASSES)
    assert (one.completion_tokens == 1) == (name in usage.OUTPUT_CLASSES)


@given(usages())
def test_the_classes_add_up_to_the_total(usage: TokenUsage) -> None:
    assert usage.total == sum(by_class(usage).values())
    assert usage.prompt_tokens + usage.completion_tokens == usage.total


@pytest.mark.parametrize("name", TOKEN_CLASSES)
def test_no_class_is_counted_inside_another(name: str) -> None:
    usage = TokenUsage.counting({name: 7})
    assert usage.total == 7
    assert {usage.prompt_tokens, usage.completion_tokens} == {0, 7}
    assert sum(by_class(usage).values()) == 7


@given(usages(), usages(), usages())
def test_usage_adds_up_class_by_class(a: TokenUsage, b: TokenUsage, c: TokenUsage) -> None:
    assert by_class(a + b) == {name: by_class(a)[name] + by_class(b)[name] for name in by_class(a)}
    assert (a + b) + c == a + (b + c)
    assert a + b == b + a
    assert a + NO_USAGE == a
    assert (a + b).total == a.total + b.total


@pytest.mark.parametrize("name", TOKEN_CLASSES)
@pytest.mark.parametrize("wrong", [-1, True, False, 1.0, "1", None])
def test_refuses_a_count_that_is_not_a_whole_number_of_at_least_0(name: str, wrong: Any) -> None:
    with pytest.raises(ValueError, match=name):
        TokenUsage.counting({name: wrong})


@given(st.integers(max_value=-1))
def test_refuses_every_negative_count(count: int) -> None:
    with pytest.raises(ValueError, match="output tokens"):
        TokenUsage(output=count)
