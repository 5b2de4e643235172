from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.errors import InvalidRequest
from langroute.domain.operations import Operation, OperationRequest, UploadedFile

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
FIELDS = st.sampled_from(
    [
        *("model", "input", "prompt", "dimensions", "encoding_format", "n", "stream", "user"),
        *("image", "images", "mask", "file", "file_url", "stream_format", "instructions", "other"),
    ]
)


def parse(operation: str, **body: Any) -> OperationRequest:
    return OperationRequest.parse(Operation(operation), {"model": "m", **body})


def a_file(size: int = 10, name: str = "file") -> UploadedFile:
    return UploadedFile(
        name=name, filename="a", content_type="application/octet-stream", data=bytes(size)
    )


def heard(size: int, **fields: Any) -> OperationRequest:
    body = {"model": "m", **fields}
    return OperationRequest.parse(Operation.TRANSCRIPTIONS, body, (a_file(size),))


@pytest.mark.parametrize("given", ["text", ["a", "b"], [0, 5], [[1], [2, 3]]])
def test_texts_and_tokens_can_be_embedded(given: Any) -> None:
    assert parse("embeddings", input=given).body["input"] == given


@pytest.mark.parametrize(
    ("given", "param"),
    [
        (None, "input"),
        (5, "input"),
        ({}, "input"),
        ([], "input"),
        ([None], "input.0"),
        ([True], "input.0"),
        ([-1], "input.0"),
        ([1.5], "input.0"),
        (["a", 1], "input.1"),
        ([1, 2, "a"], "input.2"),
        ([["a"]], "input.0"),
        ([[1], []], "input.1"),
        ([[1], [2, None]], "input.1"),
        ([{"text": "a"}], "input.0"),
    ],
)
def test_what_cannot_be_embedded_is_named(given: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse("embeddings", input=given)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("operation", "body", "param"),
    [
        ("embeddings", {"dimensions": "5"}, "dimensions"),
        ("embeddings", {"dimensions": 0}, "dimensions"),
        ("embeddings", {"dimensions": True}, "dimensions"),
        ("embeddings", {"user": 5}, "user"),
        ("embeddings", {"encoding_format": "hex"}, "encoding_format"),
        ("embeddings", {"encoding_format": 1}, "encoding_format"),
        ("embeddings", {"model": ""}, "model"),
        ("embeddings", {"model": ["m"]}, "model"),
        ("moderations", {"input": []}, "input"),
        ("moderations", {"input": ["a", 1]}, "input.1"),
        ("images/generations", {"prompt": 1}, "prompt"),
        ("images/generations", {"prompt": None}, "prompt"),
        ("images/generations", {"prompt": "x", "n": 0}, "n"),
        ("images/generations", {"prompt": "x", "stream": "yes"}, "stream"),
        ("images/generations", {"prompt": "x", "stream_format": "sse"}, "stream_format"),
        ("embeddings", {"stream": True}, "stream"),
        ("moderations", {"stream": True}, "stream"),
        ("audio/speech", {"stream": True}, "stream"),
        ("images/edits", {}, "prompt"),
        ("audio/speech", {"input": ["a"]}, "input"),
        ("audio/speech", {"speed": "fast"}, "speed"),
    ],
)
def test_a_wrong_field_is_named(operation: str, body: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse(operation, **{"input": "x", **body})
    assert caught.value.param == param


def test_what_is_false_or_null_is_as_if_it_were_not_there() -> None:
    asked = parse("images/generations", prompt="x", stream=False, n=None, user=None)
    assert not asked.stream


@pytest.mark.parametrize(
    ("operation", "fields"),
    [
        ("images/generations", {"prompt": "x", "stream": True}),
        ("images/edits", {"prompt": "x", "stream": True}),
        ("audio/speech", {"input": "x", "stream_format": "sse"}),
    ],
)
def test_what_can_come_in_pieces_may_be_asked_for_in_pieces(
    operation: str, fields: dict[str, Any]
) -> None:
    assert parse(operation, **fields).stream


@pytest.mark.parametrize(
    ("given", "stream"),
    [("true", True), ("True", True), ("1", True), ("false", False), ("0", False)],
)
@pytest.mark.parametrize(
    ("operation", "name"), [("audio/transcriptions", "file"), ("images/edits", "image")]
)
def test_a_form_says_in_a_word_whether_it_wants_pieces(
    operation: str, name: str, given: str, stream: bool
) -> None:
    fields = {"model": "m", "prompt": "x", "stream": given}
    asked = OperationRequest.parse(Operation(operation), fields, (a_file(name=name),))
    assert asked.stream is stream


def test_sound_as_it_is_comes_in_one_piece() -> None:
    assert not parse("audio/speech", input="x", stream_format="audio").stream


def test_only_moderations_have_a_model_by_default() -> None:
    moderation = OperationRequest.parse(Operation.MODERATIONS, {"input": "x"})
    assert moderation.model == "omni-moderation-latest"
    for operation in Operation:
        if operation is Operation.MODERATIONS:
            continue
        files = None if operation.takes_json else (a_file(name="image"), a_file())
        with pytest.raises(InvalidRequest) as caught:
            OperationRequest.parse(operation, {"input": "x", "prompt": "x"}, files)
        assert caught.value.param == "model"


@pytest.mark.parametrize(
    ("operation", "fields", "names", "param"),
    [
        ("audio/transcriptions", {}, [], "file"),
        ("audio/transcriptions", {}, ["other"], "file"),
        ("audio/translations", {"file_url": "https://a.test"}, [], "file"),
        ("images/edits", {"prompt": "x"}, ["mask"], "image"),
        ("images/variations", {"image": "text"}, [], "image"),
        ("audio/translations", {"stream": "true"}, ["file"], "stream"),
        ("images/variations", {"stream": "1"}, ["image"], "stream"),
        ("audio/transcriptions", {"stream": "on"}, ["file"], "stream"),
        ("audio/transcriptions", {"stream": ["false", "true"]}, ["file"], "stream"),
        ("audio/transcriptions", {"model": ["a", "b"]}, ["file"], "model"),
    ],
)
def test_what_a_form_lacks_is_named(
    operation: str, fields: dict[str, Any], names: list[str], param: str
) -> None:
    files = tuple(a_file(name=name) for name in names)
    with pytest.raises(InvalidRequest) as caught:
        OperationRequest.parse(Operation(operation), {"model": "m", **fields}, files)
    assert caught.value.param == param


@pytest.mark.parametrize(
    ("operation", "fields", "names"),
    [
        ("audio/transcriptions", {"stream": "False"}, ["file"]),
        ("audio/transcriptions", {"file_url": "https://a.test"}, []),
        ("images/edits", {"prompt": "x"}, ["image[]", "image[]", "mask"]),
        ("images/variations", {}, ["image"]),
    ],
)
def test_a_whole_form_is_taken(operation: str, fields: dict[str, Any], names: list[str]) -> None:
    files = tuple(a_file(name=name) for name in names)
    asked = OperationRequest.parse(Operation(operation), {"model": "m", **fields}, files)
    assert asked.files == files


@pytest.mark.parametrize(
    "told", [" 10", "+10", "1_0", "1e1", "10.0", "٣", "0", "-1", "", ["1", "10"]]
)
def test_a_number_in_a_form_is_one_that_nobody_reads_as_another(told: Any) -> None:
    """More pictures would be made, and billed, than are held back for."""
    body, files = {"model": "m", "prompt": "p", "n": told}, (a_file(name="image"),)
    with pytest.raises(InvalidRequest) as caught:
        OperationRequest.parse(Operation.IMAGE_EDITS, body, files)
    assert caught.value.param == "n"
    ten = OperationRequest.parse(Operation.IMAGE_EDITS, body | {"n": "10"}, files)
    assert ten.units_bound.count("images") == 10


@pytest.mark.parametrize("operation", Operation)
def test_each_operation_takes_json_or_a_form_and_says_which(operation: Operation) -> None:
    assert operation.takes_form or operation.takes_json
    if not operation.takes_json:
        with pytest.raises(InvalidRequest, match="multipart/form-data"):
            OperationRequest.parse(operation, {"model": "m"})
    if not operation.takes_form:
        with pytest.raises(InvalidRequest, match="application/json"):
            OperationRequest.parse(operation, {"model": "m"}, ())


@pytest.mark.parametrize(
    ("given", "bound"),
    [
        ("héllo", 6 + 4),
        (["ab", "c"], 3 + 2 * 4),
        ([10**9, 10**9, 5], 3 + 4),
        ([[10**9, 1], [2]], 3 + 2 * 4),
    ],
)
def test_a_text_has_no_more_tokens_than_bytes_and_a_token_is_one(given: Any, bound: int) -> None:
    """And what is put around each."""
    asked = parse("embeddings", input=given, encoding_format="base64", user="somebody")
    assert asked.input_bound == bound


def test_tokens_that_are_sent_as_numbers_need_no_guess() -> None:
    assert parse("embeddings", input=[1] * 100).likely_input == 100
    assert parse("embeddings", input="x" * 100).likely_input == 25


def test_speech_is_as_long_as_it_takes_to_say() -> None:
    assert parse("audio/speech", input="x" * 900).likely_output("gpt-4o-mini-tts") == 1_250
    assert parse("audio/speech", input="x").likely_output("gpt-4o-mini-tts") == 2
    assert parse("embeddings", input="x" * 900).likely_output("gpt-4o-mini-tts") == 0


def test_moderations_are_free() -> None:
    asked = parse("moderations", input="x" * 100)
    assert asked.input_bound == 100
    assert asked.likely_input == 0


def test_pictures_count_by_the_piece_however_long_they_are() -> None:
    picture = {"image_url": "data:image/png;base64," + "A" * 10**6}
    one = parse("images/edits", prompt="", images=[picture])
    two = parse("images/edits", prompt="", images=[picture], mask=picture)
    files = (a_file(10**6, "image[]"), a_file(10**6, "image[]"))
    form = OperationRequest.parse(Operation.IMAGE_EDITS, {"model": "m", "prompt": ""}, files)
    assert 0 < one.input_bound < 10_000
    assert form.input_bound == two.input_bound == 2 * one.input_bound


def test_a_recording_counts_by_its_length_up_to_what_anybody_listens_to() -> None:
    # Ten seconds for its bytes, and half a minute that is filled up.
    assert heard(1600).input_bound == 501
    assert heard(1600).likely_input == 10
    assert heard(10**7).input_bound == heard(10**8).input_bound == 135_376
    # Ten minutes at 128 kbit/s, as 9.6 MB, are some 6,000 tokens.
    assert heard(9_600_000).likely_input == 6_000
    assert heard(0, prompt="abcd").input_bound == 380


@given(st.sampled_from(Operation), st.dictionaries(FIELDS, JSON), st.booleans())
def test_whatever_is_asked_is_taken_or_refused(
    operation: Operation, body: dict[str, Any], form: bool
) -> None:
    files = (a_file(3), a_file(3, "image")) if form else None
    try:
        asked = OperationRequest.parse(operation, body, files)
    except InvalidRequest:
        return
    assert 0 <= asked.likely_input <= asked.input_bound
    assert asked.body == body
