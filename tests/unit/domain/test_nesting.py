import time
from typing import Any

import orjson
import pytest

from langroute.domain.estimates import token_bound
from langroute.domain.nesting import MAX_NUMBERS, MAX_VALUES, has_too_many, is_too_deep


def judged(value: Any) -> bool:
    return has_too_many(orjson.dumps(value), value)


@pytest.mark.parametrize("one", [{}, [], "", None, {"a": 1}, [{}], True])
def test_more_values_than_anybody_looks_at_are_too_many(one: Any) -> None:
    assert not judged([one] * 1_000)
    assert judged([one] * (MAX_VALUES + 1))
    assert judged({"messages": [{"x": [one] * (MAX_VALUES + 1)}]})
    assert judged({str(n): one for n in range(MAX_VALUES + 1)})


def test_numbers_are_looked_at_as_a_whole() -> None:
    assert not judged({"input": [[7] * 8_000] * 200})
    assert judged({"input": [7] * (MAX_NUMBERS + 1)})
    assert judged({"input": [[7] * 9_000] * 1_000})


def test_commas_in_a_text_are_no_values() -> None:
    assert not judged({"messages": ["," * 10 * MAX_VALUES]})


def test_what_is_not_too_much_is_looked_through_in_no_time() -> None:
    """As much as may come at once, and nobody else is served meanwhile."""
    most: list[Any] = [
        [{}] * (MAX_VALUES - 1),
        [{"type": "x"}] * (MAX_VALUES // 2 - 1),
        {"input": [7] * (MAX_NUMBERS - 1)},
    ]
    for value in most:
        raw = orjson.dumps(value)
        began = time.process_time()
        assert not has_too_many(raw, value)
        assert not is_too_deep(raw, value)
        assert token_bound(value) > 0
        assert time.process_time() - began < 2
