"""Events of pictures, speech and transcriptions, read for what the gateway must know."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.malformed import BrokeOff, Malformed
from langroute.adapters.wire.operation_events import OperationEvents
from langroute.adapters.wire.sse import Event
from langroute.application.ports.upstream import ChatChunk
from langroute.domain.operations import Operation
from langroute.domain.providers import ProviderKind
from langroute.domain.usage import TokenUsage

CODEC = all_codecs()[ProviderKind.OPENAI]
DRAWN = {
    "input_tokens": 50,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
    "output_tokens": 100,
    "total_tokens": 150,
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)


def reader(operation: Operation = Operation.IMAGE_GENERATIONS) -> OperationEvents:
    return OperationEvents(CODEC, operation)


def read(events: OperationEvents, body: object, name: bytes = b"") -> ChatChunk:
    chunks = events.read(Event(orjson.dumps(body), name))
    assert chunks is not None
    (chunk,) = chunks
    return chunk


@pytest.mark.parametrize(
    ("operation", "kind", "usage", "told"),
    [
        (
            Operation.TRANSCRIPTIONS,
            "transcript.text.done",
            {
                "type": "tokens",
                "input_tokens": 14,
                "input_token_details": {"text_tokens": 4, "audio_tokens": 10},
                "output_tokens": 6,
                "total_tokens": 20,
            },
            TokenUsage(input=4, audio_input=10, output=6),
        ),
        (Operation.TRANSCRIPTIONS, "transcript.text.done", {"type": "duration"}, None),
        (
            Operation.SPEECH,
            "speech.audio.done",
            {"input_tokens": 4, "output_tokens": 40, "total_tokens": 44},
            TokenUsage(input=4, audio_output=40),
        ),
    ],
)
def test_a_last_event_tells_the_usage_and_ends_the_stream(
    operation: Operation, kind: str, usage: dict[str, Any], told: TokenUsage | None
) -> None:
    events = reader(operation)
    body = {"type": kind, "usage": usage}
    with pytest.raises(BrokeOff, match="before its answer was finished"):
        events.check_finished()
    assert read(events, body) == ChatChunk(body=body, usage=told)
    assert events.is_over
    events.check_finished()


@pytest.mark.parametrize("kind", ["image_generation", "image_edit"])
def test_each_picture_tells_its_own_usage_and_more_may_follow(kind: str) -> None:
    events = reader()
    assert read(events, {"type": f"{kind}.partial_image"}).usage is None
    with pytest.raises(BrokeOff):
        events.check_finished()
    once = read(events, {"type": f"{kind}.completed", "usage": DRAWN}).usage
    twice = read(events, {"type": f"{kind}.completed", "usage": DRAWN}).usage
    assert once is not None
    assert (once.total, twice) == (150, once + once)
    assert not events.is_over
    events.check_finished()


def test_no_sum_of_usage_grows_out_of_bounds() -> None:
    events = reader()
    much = {"input_tokens": 10**12 - 1, "output_tokens": 1}
    event = {"type": "image_edit.completed", "usage": much}
    told = [read(events, event).usage for _ in range(3)]
    assert [usage and usage.total for usage in told] == [10**12] * 3


def test_what_is_heard_counts_until_its_usage_is_told() -> None:
    body = {"type": "transcript.text.delta", "delta": "größer"}
    assert read(reader(Operation.TRANSCRIPTIONS), body) == ChatChunk(body=body, text_bytes=8)


def test_an_event_without_a_type_is_called_by_its_name() -> None:
    events = reader(Operation.SPEECH)
    assert read(events, {"usage": None}, b"speech.audio.done").body["type"] == "speech.audio.done"
    assert events.is_over


def test_servers_with_events_of_their_own_close_with_a_mark() -> None:
    events = reader(Operation.TRANSCRIPTIONS)
    body = {"object": "transcription.chunk", "choices": [{"delta": {"content": "Hi"}}]}
    assert read(events, body).body == body
    assert events.done() == []


@pytest.mark.parametrize(
    "body",
    [
        {"type": "error", "error": {"message": "Moderated.", "code": "moderation_blocked"}},
        {"error": {"message": "Moderated."}},
        {"type": "error", "message": "Moderated."},
    ],
)
def test_an_error_breaks_the_stream_off(body: dict[str, Any]) -> None:
    with pytest.raises(BrokeOff, match="broke off"):
        read(reader(), body)


@given(body=JSON, name=st.binary(max_size=8), operation=st.sampled_from(Operation))
def test_any_event_passes_or_is_a_fault_of_the_providers(
    body: object, name: bytes, operation: Operation
) -> None:
    try:
        chunks = reader(operation).read(Event(json.dumps(body).encode(), name))
    except (BrokeOff, Malformed):
        return
    assert chunks


@given(kind=JSON, usage=JSON, delta=JSON, error=st.none() | JSON)
def test_no_field_of_a_known_event_is_trusted(
    kind: object, usage: object, delta: object, error: object
) -> None:
    body = {"type": kind, "usage": usage, "delta": delta, "error": error}
    try:
        chunks = reader(Operation.TRANSCRIPTIONS).read(Event(json.dumps(body).encode()))
    except (BrokeOff, Malformed):
        return
    assert chunks
