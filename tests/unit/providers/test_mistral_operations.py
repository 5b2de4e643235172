from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.providers.mistral import CODECS
from langroute.adapters.wire.codec import EncodedOperation
from langroute.adapters.wire.malformed import Malformed
from langroute.adapters.wire.operation_answers import operation_usage
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.errors import OperationUnsupported
from langroute.domain.operations import Operation, OperationRequest, UploadedFile
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts
from langroute.domain.usage import TokenUsage

CODEC = CODECS["mistral"]
MISTRAL = Provider(name="acme", kind=ProviderKind.MISTRAL, base_url="https://mistral.test/v1")
FILE = UploadedFile(name="file", filename="a.wav", content_type="audio/wav", data=b"x")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def call(operation: Operation, *files: UploadedFile, **body: Any) -> UpstreamCall[OperationRequest]:
    form = files if operation is Operation.TRANSCRIPTIONS else None
    return UpstreamCall(
        provider=MISTRAL,
        credential=None,
        model="upstream",
        request=OperationRequest.parse(operation, {"model": "asked", **body}, form),
        output_cap=None,
        timeouts=Timeouts(),
    )


def encoded(operation: Operation, *files: UploadedFile, **body: Any) -> EncodedOperation:
    sent = CODEC.operation(call(operation, *files, **body))
    assert sent is not None
    return sent


def translated(body: dict[str, Any], asked: UpstreamCall[OperationRequest]) -> dict[str, Any]:
    sent = CODEC.operation(asked)
    assert sent is not None
    assert sent.translate is not None
    return sent.translate(body)


def heard(body: dict[str, Any], **asked: Any) -> dict[str, Any]:
    return translated(body, call(Operation.TRANSCRIPTIONS, FILE, **asked))


def test_an_embeddings_fields_are_renamed_left_out_or_left_to_mistral() -> None:
    asked = {"dimensions": 5, "encoding_format": "base64", "user": "u", "output_dtype": "int8"}
    sent = encoded(Operation.EMBEDDINGS, input=["a"], metadata={"a": 1}, new=None, **asked)
    assert sent.path == "/embeddings"
    assert sent.body == {
        "model": "upstream",
        "input": ["a"],
        "metadata": {"a": 1},
        "output_dimension": 5,
        "output_dtype": "int8",
    }
    assert sent.dropped == ("user",)
    assert sent.files is None


@pytest.mark.parametrize(
    ("operation", "body", "said"),
    [
        (Operation.EMBEDDINGS, {"input": [1, 2]}, "embeddings of tokens' numbers"),
        (Operation.EMBEDDINGS, {"input": [[1], [2]]}, "embeddings of tokens' numbers"),
        (Operation.MODERATIONS, {"input": [{"type": "image_url"}]}, "moderations of pictures"),
        (Operation.TRANSCRIPTIONS, {"response_format": "srt"}, "audio/transcriptions as srt"),
        (Operation.TRANSCRIPTIONS, {"response_format": ["json", "srt"]}, "audio/transcriptions as"),
    ],
)
def test_what_mistral_does_not_do_is_left_to_the_next_target(
    operation: Operation, body: dict[str, Any], said: str
) -> None:
    files = (FILE,) if operation is Operation.TRANSCRIPTIONS else ()
    with pytest.raises(OperationUnsupported, match=said):
        CODEC.operation(call(operation, *files, **body))


@pytest.mark.parametrize("operation", [Operation.IMAGE_GENERATIONS, Operation.SPEECH])
def test_other_operations_are_not_there(operation: Operation) -> None:
    assert CODEC.operation(call(operation, input="x", prompt="x")) is None


def test_a_messages_parts_are_judged_as_one_text() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert encoded(Operation.MODERATIONS, input=parts).body["input"] == "ab"
    assert encoded(Operation.MODERATIONS, input=["a", "b"]).body["input"] == ["a", "b"]


def test_a_transcriptions_fields_lose_their_brackets() -> None:
    sent = encoded(
        Operation.TRANSCRIPTIONS,
        FILE,
        **{"timestamp_granularities[]": ["word"], "include[]": "logprobs", "prompt": "x"},
        response_format="json",
        context_bias=["a", "b"],
    )
    assert sent.files == (FILE,)
    assert sent.body == {
        "model": "upstream",
        "timestamp_granularities": ["word"],
        "context_bias": ["a", "b"],
    }
    assert sent.dropped == ("include[]", "prompt")


def test_a_language_is_told_unless_times_are_asked_for() -> None:
    sent = encoded(Operation.TRANSCRIPTIONS, FILE, language="en")
    assert (sent.body["language"], sent.dropped) == ("en", ())
    times = {"timestamp_granularities[]": ["word"]}
    sent = encoded(Operation.TRANSCRIPTIONS, FILE, language="en", **times)
    assert "language" not in sent.body
    assert sent.dropped == ("language",)


def test_the_longer_form_has_segments() -> None:
    sent = encoded(Operation.TRANSCRIPTIONS, FILE, response_format="verbose_json")
    assert sent.body["timestamp_granularities"] == ["segment"]
    segments = [{"text": "a", "start": 0.0, "end": 1.0}, "nonsense"]
    usage = {"prompt_audio_seconds": 7, "prompt_tokens": 4, "total_tokens": 100}
    answer = heard(
        {"text": "a", "segments": segments, "usage": usage}, response_format="verbose_json"
    )
    assert answer["task"] == "transcribe"
    assert answer["duration"] == 7
    assert answer["segments"] == [{"id": 0, "text": "a", "start": 0.0, "end": 1.0}]


def test_what_was_heard_is_counted_apart() -> None:
    told = {"prompt_tokens": 4, "completion_tokens": 6, "total_tokens": 110}
    usage = heard({"text": "a", "usage": told})["usage"]
    assert usage == {
        "type": "tokens",
        "input_tokens": 104,
        "output_tokens": 6,
        "total_tokens": 110,
        "input_token_details": {"audio_tokens": 100, "text_tokens": 4},
    }
    assert operation_usage(usage, Operation.TRANSCRIPTIONS) == TokenUsage(
        input=4, audio_input=100, output=6
    )


def test_a_judgement_is_flagged_where_a_category_applies() -> None:
    results: list[Any] = [
        {"categories": {"law": False, "pii": True}},
        {"categories": {"law": False}},
        {"categories": {"law": True}, "flagged": False},
    ]
    answer = translated({"results": results}, call(Operation.MODERATIONS, input="x"))
    assert [result["flagged"] for result in answer["results"]] == [True, False, False]


@given(
    st.sampled_from([Operation.EMBEDDINGS, Operation.MODERATIONS, Operation.TRANSCRIPTIONS]),
    st.dictionaries(st.sampled_from(["results", "text", "usage", "segments"]), JSON),
)
def test_whatever_is_sent_is_translated_or_malformed(
    operation: Operation, body: dict[str, Any]
) -> None:
    files = (FILE,) if operation is Operation.TRANSCRIPTIONS else ()
    asked = call(operation, *files, input="x", response_format="verbose_json")
    try:
        answer = translated(body, asked)
    except Malformed:
        return
    operation_usage(answer.get("usage"), operation)


@given(st.dictionaries(st.text(max_size=8), JSON))
def test_what_was_asked_is_not_changed(body: dict[str, Any]) -> None:
    asked = call(Operation.EMBEDDINGS, **{"input": ["a"], **{f"x{n}": v for n, v in body.items()}})
    before = dict(asked.request.body)
    CODEC.operation(asked)
    assert asked.request.body == before
