from itertools import pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.pictures import picture_tokens

SIZES = ("1024x1024", "1024x1536", "1536x1024")
DEAREST = 23_719


@pytest.mark.parametrize(
    ("quality", "tokens"),
    [
        ("low", (272, 408, 400)),
        ("medium", (1_056, 1_584, 1_568)),
        ("high", (4_160, 6_240, 6_208)),
    ],
)
@pytest.mark.parametrize("model", ["gpt-image-1", "gpt-image-1-mini", "openai/gpt-image-1.5"])
def test_the_first_models_take_what_their_guide_lists(
    model: str, quality: str, tokens: tuple[int, ...]
) -> None:
    for size, listed in zip(SIZES, tokens, strict=True):
        assert picture_tokens(model, {"quality": quality, "size": size}) == listed
    assert picture_tokens(model, {"quality": quality}) == max(tokens)


@pytest.mark.parametrize("left_out", [None, "auto", "standard", 5, ["high"]])
def test_what_is_not_said_is_the_dearest(left_out: Any) -> None:
    assert picture_tokens("gpt-image-1", {"quality": left_out, "size": left_out}) == 6_240
    assert picture_tokens("gpt-image-2", {"quality": left_out, "size": left_out}) == DEAREST
    assert picture_tokens("gpt-image-2", {"quality": "low"}) < 700


@pytest.mark.parametrize(
    ("quality", "cents"),
    [("low", (6, 5, 5)), ("medium", (53, 41, 41)), ("high", (211, 165, 165))],
)
def test_later_models_come_to_the_prices_in_their_guide(
    quality: str, cents: tuple[int, ...]
) -> None:
    for size, tenths in zip(SIZES, cents, strict=True):
        tokens = picture_tokens("gpt-image-2-2026-04-21", {"quality": quality, "size": size})
        assert round(tokens * 30 / 1000) == tenths  # 30 dollars a million, in tenths of a cent


def test_finer_qualities_of_the_same_picture_take_more() -> None:
    qualities = ("low", "medium", "high", "xhigh", "max")
    tokens = [
        picture_tokens("gpt-image-2.5-flare", {"quality": quality, "size": "1024x1024"})
        for quality in qualities
    ]
    assert all(less < more for less, more in pairwise(tokens))


@given(st.integers(1, 4_000), st.integers(1, 4_000), st.sampled_from(["low", "high", None]))
def test_no_size_takes_more_than_one_that_is_not_said(
    width: int, height: int, quality: str
) -> None:
    asked = {"size": f"{width}x{height}", "quality": quality}
    for model in ("gpt-image-2", "gpt-image-2.5-flare", "gpt-image-1"):
        tokens = picture_tokens(model, asked)
        assert 0 < tokens <= picture_tokens(model, {"quality": quality})


@pytest.mark.parametrize("model", ["gpt-image-7", "chatgpt-image-latest"])
def test_a_model_that_comes_later_is_taken_for_the_dearest(model: str) -> None:
    assert picture_tokens(model, {"quality": "low"}) == DEAREST


@pytest.mark.parametrize("model", ["dall-e-3", "flux", "my-gpt-image-1"])
def test_of_others_nobody_knows(model: str) -> None:
    assert picture_tokens(model, {}) == 0


@pytest.mark.parametrize(
    ("asked", "seen"), [(2, 2), ("3", 3), (9, 3), (-1, 0), (None, 0), (True, 0), ("9" * 5_000, 0)]
)
def test_what_is_seen_before_it_is_finished_takes_a_hundred_each(asked: Any, seen: int) -> None:
    for model, quality in product(("gpt-image-1", "gpt-image-2"), ("low", "high")):
        whole = picture_tokens(model, {"quality": quality})
        shown = picture_tokens(model, {"quality": quality, "partial_images": asked})
        assert shown - whole == 100 * seen
