import base64
import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.wire.embeddings import from_base64, to_base64, well_formed_embeddings
from langroute.adapters.wire.malformed import Malformed
from langroute.adapters.wire.operation_answers import operation_usage
from langroute.domain.operations import Operation, OperationRequest
from langroute.domain.units import Units
from langroute.domain.usage import TokenUsage

FLOATS = st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def answered(body: dict[str, Any], **asked: Any) -> dict[str, Any]:
    request = OperationRequest.parse(Operation.EMBEDDINGS, {"model": "m", "input": "x", **asked})
    return well_formed_embeddings(body, request, "upstream-model")


def one(embedding: object, **asked: Any) -> Any:
    return answered({"data": [{"embedding": embedding}]}, **asked)["data"][0]["embedding"]


@given(FLOATS)
def test_base64_is_little_endian_and_back(numbers: list[float]) -> None:
    text = to_base64(numbers)
    assert text == packed(*numbers)
    assert from_base64(text) == numbers


@pytest.mark.parametrize("asked", [{}, {"encoding_format": None}, {"encoding_format": "float"}])
@pytest.mark.parametrize("told", [[0.5, -1.25], packed(0.5, -1.25)])
def test_numbers_are_given_to_whoever_asks_for_nothing_else(told: Any, asked: Any) -> None:
    assert one(told, **asked) == [0.5, -1.25]


@pytest.mark.parametrize("told", [[0.5, 2], packed(0.5, 2)])
def test_base64_is_given_to_whoever_asks_for_it(told: Any) -> None:
    assert one(told, encoding_format="base64") == packed(0.5, 2)


def test_numbers_of_another_kind_are_numbers_but_their_base64_is_left_alone() -> None:
    own = {"output_dtype": "int8"}
    assert one([-128, 127], encoding_format="base64", **own) == packed(-128, 127)
    assert one("gH8=", **own) == "gH8="


@pytest.mark.parametrize(
    "told",
    [
        None,
        5,
        {},
        [],
        ["0.5"],
        [None],
        [True],
        [[0.5]],
        "",
        "?",
        "AAA=",
        "AAAAA",
        packed(math.nan),
        packed(math.inf),
        "AAAA AAA=",
        "é",
    ],
)
@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_what_is_no_embedding_is_malformed(told: Any, encoding: str) -> None:
    with pytest.raises(Malformed):
        one(told, encoding_format=encoding)


@pytest.mark.parametrize("number", [1e300, -1e39, 10**400])
def test_a_number_beyond_32_bits_is_malformed_in_base64(number: float) -> None:
    with pytest.raises(Malformed):
        one([number], encoding_format="base64")


@pytest.mark.parametrize(
    ("given", "count"),
    [("x", 1), (["a", "b"], 2), ([5, 6, 7], 1), ([[5], [6, 7], [8]], 3)],
)
def test_there_is_one_for_each_input(given: Any, count: int) -> None:
    data = [{"embedding": [0.5]}] * count
    assert len(answered({"data": data}, input=given)["data"]) == count
    for wrong in (count - 1, count + 1):
        with pytest.raises(Malformed):
            answered({"data": [{"embedding": [0.5]} for _ in range(wrong)]}, input=given)


def test_what_a_careless_server_leaves_out_is_put_in() -> None:
    data: list[Any] = [{"embedding": [0.5]}, {"embedding": [1.5], "index": None, "object": "x"}]
    answer = answered({"data": data, "model": None, "extra": 1}, input=["a", "b"])
    assert answer.pop("id").startswith("embd-")
    assert answer == {
        "object": "list",
        "data": [
            {"object": "embedding", "index": 0, "embedding": [0.5]},
            {"object": "embedding", "index": 1, "embedding": [1.5]},
        ],
        "model": "upstream-model",
        "usage": {"prompt_tokens": 0, "total_tokens": 0},
        "extra": 1,
    }


@pytest.mark.parametrize(
    ("told", "prompt", "total"),
    [
        ({"prompt_tokens": 5, "total_tokens": 5}, 5, 5),
        ({"prompt_tokens": 5}, 5, 5),
        ({"total_tokens": 5}, 5, 5),
        ({"prompt_tokens": None, "total_tokens": 5}, 5, 5),
        ({"prompt_tokens": "5"}, 0, 0),
        ({"prompt_tokens": -1, "total_tokens": True}, 0, 0),
        (None, 0, 0),
        ("x", 0, 0),
    ],
)
def test_usage_has_both_counts_and_is_billed_as_input(told: Any, prompt: int, total: int) -> None:
    usage = answered({"data": [{"embedding": [0.5]}], "usage": told})["usage"]
    assert (usage["prompt_tokens"], usage["total_tokens"]) == (prompt, total)
    # Nothing told: an estimate is made of the input.
    assert operation_usage(usage, Operation.EMBEDDINGS) == (
        TokenUsage(input=prompt) if prompt else None
    )


@given(st.dictionaries(st.sampled_from(["data", "usage", "model", "object"]), JSON), st.booleans())
def test_whatever_is_sent_is_put_right_or_malformed(body: dict[str, Any], as_text: bool) -> None:
    encoding = "base64" if as_text else "float"
    try:
        answer = answered(body, encoding_format=encoding)
    except Malformed:
        return
    assert isinstance(answer["data"][0]["embedding"], str if as_text else list)


@pytest.mark.parametrize(
    ("operation", "told", "usage"),
    [
        (
            Operation.EMBEDDINGS,
            {"prompt_tokens": 4, "completion_tokens": 2, "total_tokens": 6},
            TokenUsage(input=4, output=2),
        ),
        (
            Operation.IMAGE_EDITS,
            {
                "input_tokens": 50,
                "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
                "output_tokens": 100,
                "total_tokens": 150,
            },
            TokenUsage(input=10, image_input=40, image_output=100),
        ),
        (
            Operation.TRANSCRIPTIONS,
            {
                "type": "tokens",
                "input_tokens": 14,
                "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
                "output_tokens": 6,
                "total_tokens": 20,
            },
            TokenUsage(input=4, audio_input=10, output=6),
        ),
        (
            Operation.TRANSCRIPTIONS,
            {"type": "duration", "seconds": 8.2},
            TokenUsage(units=Units.of(audio_seconds=9)),
        ),
        (Operation.TRANSCRIPTIONS, {"input_tokens": "x", "input_token_details": 5}, None),
        (Operation.IMAGE_GENERATIONS, {"input_tokens": 4}, None),
        (Operation.IMAGE_GENERATIONS, None, None),
        (Operation.EMBEDDINGS, [], None),
    ],
)
def test_usage_of_each_operation_is_read(
    operation: Operation, told: Any, usage: TokenUsage | None
) -> None:
    assert operation_usage(told, operation) == usage
