from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.operation_bounds import picture_unit
from langroute.domain.operations import Operation, OperationRequest, UploadedFile
from langroute.domain.units import NO_UNITS, Units


def asked(operation: str, *data: bytes, **body: Any) -> OperationRequest:
    files = tuple(
        UploadedFile(name="file", filename="a", content_type="audio/x", data=each) for each in data
    )
    return OperationRequest(
        operation=Operation(operation), body=body, files=files or None, model="m"
    )


@pytest.mark.parametrize("count", [1, "1", None, True, "x", -3, [4]])
def test_pictures_are_as_many_as_are_asked_for(count: Any) -> None:
    low = {"quality": "low", "size": "1024x1024"}
    one = asked("images/generations", n=count, **low)
    assert one.output_bound("gpt-image-1") == 272
    assert one.units_bound == Units({"images:low:1024x1024": 1})
    three = asked("images/edits", n="3", partial_images=2, **low)
    assert three.output_bound("gpt-image-1") == 3 * (272 + 200)
    assert three.units_bound == three.likely_units == Units({"images:low:1024x1024": 3})


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({}, "images"),
        ({"quality": "hd"}, "images:hd:auto"),
        ({"size": "512x512"}, "images:auto:512x512"),
        ({"quality": "HD", "size": "512x512"}, "images"),
        ({"quality": ["hd"], "size": "x" * 100}, "images"),
    ],
)
def test_a_picture_is_counted_by_its_kind(body: dict[str, Any], name: str) -> None:
    assert picture_unit(body) == name


def test_speech_takes_no_longer_than_the_slowest_reading() -> None:
    text = "Call 0123456789 \N{CROCODILE}"
    plain = asked("audio/speech", input=text)
    assert plain.likely_output("gpt-4o-mini-tts") < plain.output_bound("gpt-4o-mini-tts")
    slowly = asked("audio/speech", input=text, speed=0.25).output_bound("gpt-4o-mini-tts")
    fast = asked("audio/speech", input=text, speed=4).output_bound("gpt-4o-mini-tts")
    assert slowly > 3 * plain.output_bound("gpt-4o-mini-tts") > 9 * fast
    assert plain.units_bound == plain.likely_units == Units.of(characters=len(text))


def test_what_is_sold_by_the_letter_takes_no_tokens() -> None:
    assert asked("audio/speech", input="x" * 900).output_bound("tts-1-hd") == 0
    assert asked("audio/speech", input="x" * 900).output_bound("dearer-tts") > 1_250


def test_a_transcription_is_no_longer_than_its_model_writes() -> None:
    heard = asked("audio/transcriptions", bytes(160_000))
    assert heard.output_bound("gpt-4o-transcribe") == 2_000
    assert heard.output_bound("whisper-1") == 0
    assert heard.units_bound == Units.of(audio_seconds=1_000)
    assert heard.likely_units == Units.of(audio_seconds=10)
    # In pieces, each of which has an end of its own.
    cut = asked("audio/transcriptions", bytes(160_000), chunking_strategy="auto")
    assert cut.output_bound("gpt-4o-transcribe") == 12_501
    assert heard.output_bound("gpt-4o-transcribe-diarize") == 12_501


@given(st.sampled_from(Operation), st.sampled_from(["gpt-image-1", "gpt-4o-transcribe", "x"]))
def test_the_probable_is_within_the_bound(operation: Operation, model: str) -> None:
    one = asked(operation, b"x" * 1_000, input="abc", prompt="abc")
    assert one.likely_output(model) <= one.output_bound(model)
    for name, count in one.likely_units.by_name.items():
        assert count <= one.units_bound.count(name)


def test_others_use_nothing_but_tokens() -> None:
    for operation in ("embeddings", "moderations"):
        assert asked(operation, input="x").units_bound == NO_UNITS
        assert asked(operation, input="x").output_bound("m") == 0
