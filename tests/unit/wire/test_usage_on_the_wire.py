from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.wire.usage import token_usage
from langroute.domain.usage import TokenUsage

NUMBERS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 2000),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.lists(st.integers(), max_size=2),
)
NAMES = [
    *("prompt_tokens", "completion_tokens", "total_tokens", "num_cached_tokens"),
    *("prompt_tokens_details", "prompt_token_details", "completion_tokens_details"),
]
DETAILS = st.dictionaries(
    st.sampled_from(["cached_tokens", "cache_write_tokens", "audio_tokens", "reasoning_tokens"]),
    NUMBERS,
)
USAGES = st.one_of(NUMBERS, st.dictionaries(st.sampled_from(NAMES), st.one_of(NUMBERS, DETAILS)))
COUNTS = st.integers(0, 10**6)


@given(USAGES)
def test_whatever_a_provider_tells_is_a_usage_or_nothing(told: Any) -> None:
    usage = token_usage(told)
    assert usage is None or usage.total > 0


@given(
    prompt=COUNTS.filter(bool), completion=COUNTS, cached=COUNTS, written=COUNTS, reasoning=COUNTS
)
def test_the_classes_never_overlap_and_add_up_to_the_totals(
    prompt: int, completion: int, cached: int, written: int, reasoning: int
) -> None:
    usage = token_usage(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "prompt_tokens_details": {
                "cached_tokens": cached,
                "cache_write_tokens": written,
                "audio_tokens": 1,
            },
            "completion_tokens_details": {"reasoning_tokens": reasoning, "audio_tokens": 1},
        }
    )
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (prompt, completion)
    assert usage.cached_input == min(cached, prompt)
    assert usage.reasoning == min(reasoning, completion)


def test_cached_and_reasoning_tokens_are_taken_out_of_their_totals() -> None:
    told = {
        "prompt_tokens": 2006,
        "completion_tokens": 300,
        "total_tokens": 2306,
        "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 6},
        "completion_tokens_details": {"reasoning_tokens": 200, "audio_tokens": 10},
    }
    assert token_usage(told) == TokenUsage(
        input=80, cached_input=1920, audio_input=6, output=90, reasoning=200, audio_output=10
    )


@pytest.mark.parametrize(
    "cached",
    [
        {"prompt_tokens_details": {"cached_tokens": 8}},
        {"prompt_token_details": {"cached_tokens": 8}},
        {"num_cached_tokens": 8},
        {"prompt_tokens_details": None, "num_cached_tokens": 8},
    ],
)
def test_cached_tokens_are_found_under_each_of_their_names(cached: dict[str, Any]) -> None:
    usage = token_usage({"prompt_tokens": 10, "completion_tokens": 1, **cached})
    assert usage == TokenUsage(input=2, cached_input=8, output=1)


def test_a_total_makes_up_for_a_missing_part() -> None:
    assert token_usage({"prompt_tokens": 3, "total_tokens": 5}) == TokenUsage(input=3, output=2)
    assert token_usage({"completion_tokens": 3, "total_tokens": 5}) == TokenUsage(input=2, output=3)


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
        {"prompt_tokens": None, "completion_tokens": None},
        {"prompt_tokens": 12},
        {"prompt_tokens": True, "completion_tokens": True},
        {"prompt_tokens": -1, "completion_tokens": 4},
        {"prompt_tokens": 1e300, "completion_tokens": 4},
    ],
)
def test_a_useless_usage_is_none_and_never_a_silent_zero(told: Any) -> None:
    assert token_usage(told) is None
