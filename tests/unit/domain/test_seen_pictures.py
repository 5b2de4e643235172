import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.chat import ChatRequest
from langroute.domain.picture_sizes import size_of
from langroute.domain.seen_pictures import PER_PICTURE, beyond

ELSEWHERE = "https://example.org/a.png"


def png(width: int, height: int) -> str:
    header = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + width.to_bytes(4) + height.to_bytes(4)
    return "data:image/png;base64," + base64.b64encode(header + bytes(20)).decode()


def jpeg(width: int, height: int, comment: int = 0) -> bytes:
    frame = b"\xff\xc0\x00\x11\x08" + height.to_bytes(2) + width.to_bytes(2) + bytes(12)
    table = b"\xff\xc4\x00\x04\x01\x02"
    said = b"\xff\xe1" + (comment + 2).to_bytes(2) + b"\xff" * comment
    return b"\xff\xd8" + said + table + frame


def part(url: str = ELSEWHERE, **more: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": url, **more}}


def tokens(model: str, url: str = ELSEWHERE, **more: Any) -> int:
    return PER_PICTURE + beyond([model], [part(url, **more)])


@pytest.mark.parametrize(
    ("model", "detail", "most"),
    [
        ("gpt-4o-mini", None, 2_833 + 8 * 5_667),
        ("openai/gpt-4o-mini-2024-07-18", "high", 2_833 + 8 * 5_667),
        ("gpt-4.1-mini", None, 6_636),
        ("gpt-4.1-nano", "low", 10_077),
        ("gpt-5.4", "original", 12_000),
        ("gpt-5.5", None, 12_000),
        ("gpt-6-sol", None, 36_000),
        ("gpt-5.6-luna", "auto", 36_000),
        ("gpt-7", "original", 36_000),
    ],
)
def test_a_picture_takes_the_most_that_its_model_makes_of_it(
    model: str, detail: str | None, most: int
) -> None:
    assert tokens(model, detail=detail) == most
    flat = {"type": "input_image", "image_url": ELSEWHERE, "detail": detail}
    assert PER_PICTURE + beyond([model], [flat]) == most


@pytest.mark.parametrize(
    ("model", "detail"),
    [
        *(("gpt-4o-mini", "low"), ("gpt-5.4", None), ("gpt-5.5", "high"), ("gpt-6-sol", "high")),
        *(("gpt-4o", None), ("gpt-5", None), ("claude-opus-5-5", None), ("mistral-small", None)),
        *(("gemini-3.8-flash", None), ("gpt-3.5-turbo", None), ("o3", "high")),
    ],
)
def test_others_take_no_more_than_every_picture_is_counted_as(
    model: str, detail: str | None
) -> None:
    assert tokens(model, detail=detail) == PER_PICTURE


@pytest.mark.parametrize(
    ("model", "size", "told"),
    [
        # What others have measured: https://huggingface.co/datasets/JOHNISKING/image-token-cost
        ("gpt-6-sol", (4_032, 3_024), 14_364),
        ("gpt-6-sol", (3_840, 2_160), 9_792),
        # The examples in OpenAI's guide, and what comes of its rules.
        ("gpt-4o-mini", (1_024, 1_024), 2_833 + 4 * 5_667),
        ("gpt-4o-mini", (512, 512), 2_833 + 5_667),
        ("gpt-4o-mini", (2_048, 4_096), 2_833 + 6 * 5_667),
    ],
)
def test_a_picture_that_comes_along_takes_what_its_size_does(
    model: str, size: tuple[int, int], told: int
) -> None:
    assert tokens(model, png(*size)) == told
    sideways = png(size[1], size[0])
    assert tokens(model, sideways) == told


def test_the_dearest_of_the_models_counts_and_each_picture_does() -> None:
    models = ["claude-opus-5-5", "gpt-4o-mini", "gpt-6-sol"]
    assert beyond(models, [part(), part()]) == 2 * (48_169 - PER_PICTURE)
    assert beyond([], [part()]) == 0


def test_a_chat_counts_its_pictures_at_the_models_that_may_read_them() -> None:
    content = [part(), {"type": "text", "text": "hello"}]
    body = {"model": "m", "messages": [{"role": "user", "content": content}]}
    chat = ChatRequest.parse(body)
    plain = chat.input_bound
    assert chat.input_bound_at(["gpt-4o"]) == plain
    assert chat.input_bound_at(["gpt-4o", "gpt-6-sol"]) == plain + 36_000 - PER_PICTURE


@given(st.integers(1, 9_000), st.integers(1, 9_000), st.integers(0, 60_000))
def test_sizes_are_read(width: int, height: int, comment: int) -> None:
    assert size_of(part(png(width, height))) == (width, height)
    data = base64.b64encode(jpeg(width, height, comment)).decode()
    source = {"type": "base64", "media_type": "image/jpeg", "data": data}
    assert size_of({"type": "image", "source": source}) == (width, height)
    assert size_of(part(f"data:image/jpeg;base64,{data}")) == (width, height)


@pytest.mark.parametrize(
    "url",
    [ELSEWHERE, "data:", "data:image/png;base64,???", "", png(0, 5), "data:image/gif;base64,R0lG"],
)
def test_what_cannot_be_read_is_as_large_as_any(url: str) -> None:
    assert size_of(part(url)) is None
    assert tokens("gpt-6-sol", url) == 36_000


@given(st.binary(max_size=80), st.sampled_from([b"", b"\xff\xd8", b"\x89PNG\r\n\x1a\n"]))
def test_whatever_it_is_it_is_read_or_not(data: bytes, begin: bytes) -> None:
    encoded = base64.b64encode(begin + data).decode()
    size = size_of(part(f"data:;base64,{encoded}"))
    assert size is None or all(0 < edge < 2**32 for edge in size)
    assert size_of({"type": "image", "source": {"data": encoded}}) == size
    assert size_of({"type": "image_url", "image_url": 5}) is None
