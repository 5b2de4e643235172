from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.wire.usage import (
    images_usage,
    messages_usage,
    openai_usage,
    responses_usage,
    token_usage,
)
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
    *("input_tokens", "output_tokens", "input_tokens_details", "output_tokens_details"),
]
DETAILS = st.dictionaries(
    st.sampled_from(
        [
            *("cached_tokens", "cache_write_tokens", "cache_write_1h_tokens"),
            *("audio_tokens", "image_tokens"),
            *("reasoning_tokens", "text_tokens"),
        ]
    ),
    NUMBERS,
)
USAGES = st.one_of(NUMBERS, st.dictionaries(st.sampled_from(NAMES), st.one_of(NUMBERS, DETAILS)))
COUNTS = st.integers(0, 10**6)


@given(USAGES, st.sampled_from([token_usage, responses_usage, images_usage]))
def test_whatever_a_provider_tells_is_a_usage_or_nothing(
    told: Any, read: Callable[[object], TokenUsage | None]
) -> None:
    usage = read(told)
    assert usage is None or usage.total > 0


@given(
    prompt=COUNTS.filter(bool),
    completion=COUNTS,
    cached=COUNTS,
    written=COUNTS,
    seen=COUNTS,
    reasoning=COUNTS,
    drawn=COUNTS,
)
def test_the_classes_never_overlap_and_add_up_to_the_totals(
    prompt: int, completion: int, cached: int, written: int, seen: int, reasoning: int, drawn: int
) -> None:
    usage = token_usage(
        {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "prompt_tokens_details": {
                "cached_tokens": cached,
                "cache_write_tokens": written,
                "audio_tokens": 1,
                "image_tokens": seen,
            },
            "completion_tokens_details": {
                "reasoning_tokens": reasoning,
                "audio_tokens": 1,
                "image_tokens": drawn,
            },
        }
    )
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens) == (prompt, completion)
    assert usage.cached_input == min(cached, prompt)
    assert usage.reasoning == min(reasoning, completion)
    read_anew = usage.input + usage.image_input
    assert usage.image_input == min(seen, read_anew)
    assert usage.image_output == min(drawn, usage.output + usage.image_output)


def test_cached_and_reasoning_tokens_are_taken_out_of_their_totals() -> None:
    told = {
        "prompt_tokens": 2006,
        "completion_tokens": 300,
        "total_tokens": 2306,
        "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 6, "image_tokens": 30},
        "completion_tokens_details": {
            "reasoning_tokens": 200,
            "audio_tokens": 10,
            "image_tokens": 40,
        },
    }
    assert token_usage(told) == TokenUsage(
        input=50,
        cached_input=1920,
        audio_input=6,
        image_input=30,
        output=50,
        reasoning=200,
        audio_output=10,
        image_output=40,
    )


_OF_AN_EDIT = {
    "input_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    "output_tokens": 100,
    "total_tokens": 150,
}


@pytest.mark.parametrize(
    ("output", "text"),
    [
        ({}, 0),
        ({"output_tokens_details": None}, 0),
        ({"output_tokens_details": {"image_tokens": 90, "text_tokens": 10}}, 10),
        ({"output_tokens_details": {"image_tokens": 90}}, 10),
        ({"output_tokens_details": {"text_tokens": 10}}, 10),
        ({"output_tokens_details": {"image_tokens": 0, "text_tokens": 100}}, 100),
        ({"output_tokens_details": {"image_tokens": 10**9}}, 0),
        ({"output_tokens_details": {"image_tokens": "many", "text_tokens": 10**9}}, 100),
    ],
)
def test_what_is_drawn_are_image_tokens_unless_they_are_said_to_be_text(
    output: dict[str, Any], text: int
) -> None:
    assert images_usage({**_OF_AN_EDIT, **output}) == TokenUsage(
        input=10, image_input=40, output=text, image_output=100 - text
    )


def test_images_may_be_counted_in_the_words_of_chats() -> None:
    told = {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}
    assert images_usage(told) == TokenUsage(input=5, image_output=7)
    details = {"completion_tokens_details": {"image_tokens": 4}}
    assert images_usage({**told, **details}) == TokenUsage(input=5, output=3, image_output=4)


@given(USAGES)
def test_images_add_up_to_what_was_told_of_them(told: Any) -> None:
    usage, plain = images_usage(told), token_usage(told) or responses_usage(told)
    assert (usage is None) == (plain is None)
    if usage is not None and plain is not None:
        assert usage.prompt_tokens == plain.prompt_tokens
        assert usage.completion_tokens == plain.completion_tokens


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


def test_what_is_written_for_an_hour_is_a_class_of_its_own() -> None:
    """https://platform.claude.com/docs/en/build-with-claude/prompt-caching#tracking-cache-performance"""
    told = {
        "input_tokens": 2048,
        "cache_read_input_tokens": 1800,
        "cache_creation_input_tokens": 248,
        "cache_creation": {"ephemeral_5m_input_tokens": 148, "ephemeral_1h_input_tokens": 100},
        "output_tokens": 503,
    }
    usage = TokenUsage(
        input=2048, cached_input=1800, cache_write=148, cache_write_1h=100, output=503
    )
    assert messages_usage(told) == usage
    assert token_usage(openai_usage(told)) == usage
    details = openai_usage(told)["prompt_tokens_details"]
    assert (details["cache_write_tokens"], details["cache_write_1h_tokens"]) == (248, 100)
    summed_up = {
        "type": "compaction",
        "input_tokens": 5,
        "cache_creation_input_tokens": 7,
        "cache_creation": {"ephemeral_1h_input_tokens": 7},
        "output_tokens": 1,
    }
    assert messages_usage({**told, "iterations": [summed_up]}) == usage + TokenUsage(
        input=5, cache_write_1h=7, output=1
    )


def test_at_which_service_an_answer_was_given_is_told_beside_its_usage() -> None:
    counts = {"prompt_tokens": 3, "completion_tokens": 2}
    usage = TokenUsage(input=3, output=2, service="priority")
    assert token_usage(counts, {"service_tier": "priority"}) == usage
    in_responses = {"input_tokens": 3, "output_tokens": 2}
    assert responses_usage(in_responses, {"service_tier": "priority"}) == usage
    assert token_usage(counts, {"service_tier": "default"}) == replace(usage, service=None)
    assert token_usage(counts, {"service_tier": {"a": 1}}) == replace(usage, service=None)
    fast = {**in_responses, "speed": "fast", "service_tier": "standard"}
    assert messages_usage(fast) == replace(usage, service="fast")
    for where, service in (("us", "us"), ("global", None), ("not_available", None), (7, None)):
        told = messages_usage({**in_responses, "inference_geo": where})
        assert told == replace(usage, service=service)


@pytest.mark.parametrize("told", [None, 7, [], {"ephemeral_1h_input_tokens": "many"}, {}])
def test_what_cannot_be_read_of_the_cache_was_written_for_five_minutes(told: Any) -> None:
    usage = {"input_tokens": 1, "cache_creation_input_tokens": 9, "output_tokens": 1}
    read = TokenUsage(input=1, cache_write=9, output=1)
    assert messages_usage({**usage, "cache_creation": told}) == read
    beyond = {"ephemeral_1h_input_tokens": 10**9}
    assert messages_usage({**usage, "cache_creation": beyond}) == TokenUsage(
        input=1, cache_write_1h=9, output=1
    )


def test_what_stands_in_the_total_alone_is_not_for_nothing() -> None:
    told = {"prompt_tokens": 20, "completion_tokens": 198, "total_tokens": 623}
    assert token_usage(told) == TokenUsage(input=20, output=603)
    thought = {**told, "completion_tokens_details": {"reasoning_tokens": 405}}
    assert token_usage(thought) == TokenUsage(input=20, output=198, reasoning=405)
    cached = {**told, "prompt_tokens_details": {"cached_tokens": 405}}
    assert token_usage(cached) == TokenUsage(input=20, cached_input=405, output=198)
    only = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 7}
    assert token_usage(only) == TokenUsage(output=7)
    in_responses = {"input_tokens": 20, "output_tokens": 198, "total_tokens": 623}
    assert responses_usage(in_responses) == TokenUsage(input=20, output=603)


def test_a_prompt_that_is_less_than_nothing_is_not_known() -> None:
    assert token_usage({"prompt_tokens": -1, "completion_tokens": 5, "total_tokens": 4}) is None


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
