"""Streams that are passed on in the caller's own dialect, read for what the gateway must know."""

from typing import Any

import orjson
import pytest

from langroute.adapters.wire.codecs import all_codecs
from langroute.adapters.wire.malformed import BrokeOff, Malformed
from langroute.adapters.wire.native import NativeEvents, check_native, native_usage
from langroute.adapters.wire.sse import Event
from langroute.domain.dialects import Dialect
from langroute.domain.providers import ProviderKind
from langroute.domain.usage import TokenUsage

CODEC = all_codecs()[ProviderKind.OPENAI]


def events(*bodies: dict[str, Any]) -> list[Event]:
    return [Event(orjson.dumps(body)) for body in bodies]


MESSAGES = events(
    {
        "type": "message_start",
        "message": {"usage": {"input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": 1}},
    },
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "größer"}},
    {"type": "content_block_delta", "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
    {"type": "message_stop"},
)
RESPONSES = events(
    {"type": "response.created", "response": {"usage": None}},
    {"type": "response.output_text.delta", "delta": "größer"},
    {
        "type": "response.completed",
        "response": {
            "usage": {
                "input_tokens": 12,
                "input_tokens_details": {"cached_tokens": 7},
                "output_tokens": 9,
                "output_tokens_details": {"reasoning_tokens": 4},
                "total_tokens": 21,
            }
        },
    },
)
COMPLETIONS = events(
    {"choices": [{"index": 0, "text": "größer", "finish_reason": None}], "usage": None},
    {"choices": [{"index": 0, "text": "", "finish_reason": "stop"}], "usage": None},
    {"choices": [], "usage": {"prompt_tokens": 12, "completion_tokens": 9}},
)


@pytest.mark.parametrize(
    ("dialect", "stream", "usage", "text_bytes"),
    [
        (Dialect.MESSAGES, MESSAGES, TokenUsage(input=5, cached_input=7, output=9), 10),
        (
            Dialect.RESPONSES,
            RESPONSES,
            TokenUsage(input=5, cached_input=7, output=5, reasoning=4),
            8,
        ),
        (Dialect.COMPLETIONS, COMPLETIONS, TokenUsage(input=12, output=9), 8),
    ],
)
def test_events_pass_as_they_came_and_tell_what_was_used(
    dialect: Dialect, stream: list[Event], usage: TokenUsage, text_bytes: int
) -> None:
    reader = NativeEvents(CODEC, dialect)
    chunks = [chunk for event in stream for chunk in reader.read(event) or ()]
    assert [orjson.dumps(chunk.body) for chunk in chunks] == [event.data for event in stream]
    assert [chunk.usage for chunk in chunks if chunk.usage][-1] == usage
    assert sum(chunk.text_bytes for chunk in chunks) == text_bytes
    reader.check_finished()


@pytest.mark.parametrize(
    ("dialect", "stream"),
    [
        (Dialect.MESSAGES, MESSAGES[:-1]),
        (Dialect.RESPONSES, RESPONSES[:-1]),
        (Dialect.COMPLETIONS, COMPLETIONS[:1]),
    ],
)
def test_a_stream_without_its_end_broke_off(dialect: Dialect, stream: list[Event]) -> None:
    reader = NativeEvents(CODEC, dialect)
    for event in stream:
        reader.read(event)
    with pytest.raises(BrokeOff):
        reader.check_finished()


@pytest.mark.parametrize("dialect", [Dialect.MESSAGES, Dialect.RESPONSES])
def test_after_its_last_event_the_answer_is_over(dialect: Dialect) -> None:
    stream = MESSAGES if dialect is Dialect.MESSAGES else RESPONSES
    reader = NativeEvents(CODEC, dialect)
    for event in stream:
        assert reader.read(event)
    assert reader.read(stream[0]) is None


@pytest.mark.parametrize("dialect", list(Dialect))
def test_an_error_event_breaks_off(dialect: Dialect) -> None:
    failed = {"type": "error", "error": {"type": "overloaded_error", "message": "Too much."}}
    with pytest.raises(BrokeOff, match=r"broke off: Too much\."):
        NativeEvents(CODEC, dialect).read(*events(failed))


@pytest.mark.parametrize("data", [b"[]", b"{", b"5"])
def test_what_is_no_event_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        NativeEvents(CODEC, Dialect.MESSAGES).read(Event(data))


@pytest.mark.parametrize("usage", [None, 5, {}, {"input_tokens": "many"}])
@pytest.mark.parametrize("dialect", list(Dialect))
def test_usage_that_cannot_be_read_is_none(dialect: Dialect, usage: Any) -> None:
    assert native_usage(dialect, {"usage": usage}) is None


@pytest.mark.parametrize(
    ("dialect", "stream"), [(Dialect.MESSAGES, MESSAGES[:-1]), (Dialect.RESPONSES, RESPONSES[:-1])]
)
def test_a_mark_of_the_end_is_no_substitute_for_the_closing_event(
    dialect: Dialect, stream: list[Event]
) -> None:
    reader = NativeEvents(CODEC, dialect)
    for event in stream:
        reader.read(event)
    with pytest.raises(BrokeOff):
        reader.done()


def test_a_text_completion_may_end_with_the_mark_alone() -> None:
    reader = NativeEvents(CODEC, Dialect.COMPLETIONS)
    reader.read(COMPLETIONS[0])
    reader.done()


def test_what_was_read_is_known_from_the_first_event_on() -> None:
    chunk = next(iter(NativeEvents(CODEC, Dialect.MESSAGES).read(MESSAGES[0]) or ()))
    assert chunk.usage == TokenUsage(input=5, cached_input=7, output=1)


FAILED = {
    "type": "response.failed",
    "response": {"error": {"code": "server_error", "message": "No sk-secret here."}},
}


def test_a_failure_is_passed_on_without_the_credential_and_is_no_end() -> None:
    reader = NativeEvents(CODEC, Dialect.RESPONSES, "sk-secret")
    reader.read(RESPONSES[0])
    chunk = next(iter(reader.read(*events(FAILED)) or ()))
    assert chunk.body["response"]["error"]["message"] == "No *** here."
    for ends in (reader.done, reader.check_finished):
        with pytest.raises(BrokeOff, match=r"No \*\*\* here"):
            ends()


def test_a_failure_before_anything_else_is_no_answer() -> None:
    with pytest.raises(BrokeOff):
        NativeEvents(CODEC, Dialect.RESPONSES).read(*events(FAILED))


@pytest.mark.parametrize("dialect", list(Dialect))
@pytest.mark.parametrize("answer", [{}, {"content": "x", "output": {}, "choices": None}])
def test_a_whole_answer_says_something(dialect: Dialect, answer: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        check_native(dialect, answer)


def test_what_is_told_at_the_start_of_the_cache_and_of_the_service_holds_to_the_end() -> None:
    written = {
        "input_tokens": 5,
        "cache_creation_input_tokens": 30,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "speed": "fast",
        "output_tokens": 1,
    }
    stream = events(
        {"type": "message_start", "message": {"usage": written}},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn"},
            "usage": {"output_tokens": 9, "cache_creation_input_tokens": 30},
        },
        {"type": "message_stop"},
    )
    reader = NativeEvents(CODEC, Dialect.MESSAGES)
    told = [chunk.usage for event in stream for chunk in reader.read(event) or ()]

    usage = TokenUsage(input=5, cache_write=10, cache_write_1h=20, output=9, service="fast")
    assert [each for each in told if each is not None][-1] == usage


def test_a_response_tells_at_which_service_it_was_given() -> None:
    response = {
        "service_tier": "priority",
        "output": [],
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
    usage = TokenUsage(input=3, output=2, service="priority")
    assert native_usage(Dialect.RESPONSES, response) == usage
    (event,) = events({"type": "response.completed", "response": response})
    chunks = NativeEvents(CODEC, Dialect.RESPONSES).read(event) or []
    assert [chunk.usage for chunk in chunks] == [usage]
