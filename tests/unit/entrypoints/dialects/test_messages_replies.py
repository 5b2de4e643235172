"""A whole answer in the OpenAI format, as Anthropic would give it."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.application.calls.complete_chat import CompletedChat
from langroute.domain.dialects import Dialect
from langroute.domain.ids import RequestId
from langroute.domain.receipt import Receipt
from langroute.entrypoints.http.dialects.messages.front import Messages
from langroute.entrypoints.http.errors import Answer
from samples import ENTROPY

FRONT = Messages()
ASKED = FRONT.parse(
    {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello there"}]}
)
RECEIPT = Receipt(request_id=RequestId(ENTROPY.uuid()))
USAGE = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}


DIRECT = {"caller": {"type": "direct"}}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said, "citations": None}


def call(call_id: str = "call_1", arguments: Any = '{"city": "Paris"}') -> dict[str, Any]:
    function = {"name": "weather", "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}


def reply(
    finish_reason: Any = "stop", usage: Any = USAGE, choice: Any = None, **message: Any
) -> dict[str, Any]:
    said = {"role": "assistant", "content": None, "refusal": None, **message}
    chat = {
        "id": "chatcmpl-abc",
        "object": "chat.completion",
        "created": 1_780_000_000,
        "model": "gpt-x",
        "choices": [
            {"index": 0, "message": said, "finish_reason": finish_reason, **(choice or {})}
        ],
        "usage": usage,
    }
    return dict(FRONT.reply(ASKED, CompletedChat(body=chat, receipt=RECEIPT)))


def test_a_text_is_a_message_with_one_block() -> None:
    assert reply(content="Hi.") == {
        "id": "msg_abc",
        "type": "message",
        "role": "assistant",
        "model": "gpt-x",
        "content": [{"type": "text", "text": "Hi.", "citations": None}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "stop_details": None,
        "container": None,
        "usage": {
            "input_tokens": 10,
            "cache_creation": None,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "inference_geo": None,
            "output_tokens": 5,
            "output_tokens_details": None,
            "server_tool_use": None,
            "service_tier": None,
        },
    }


def test_an_answer_in_the_dialect_passes_as_it_is() -> None:
    body = {"type": "message", "content": [{"type": "of_next_year"}]}
    completed = CompletedChat(body=body, receipt=RECEIPT, dialect=Dialect.MESSAGES)
    assert FRONT.reply(ASKED, completed) is body


def test_thoughts_come_first_and_calls_last() -> None:
    said = reply(content="I look.", reasoning_content="Hm.", tool_calls=[call(), call("call_2")])
    used = {"type": "tool_use", "name": "weather", "input": {"city": "Paris"}, **DIRECT}
    assert said["content"] == [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        text("I look."),
        {**used, "id": "call_1"},
        {**used, "id": "call_2"},
    ]
    assert said["stop_reason"] == "tool_use"


def test_signed_thoughts_are_given_as_they_are() -> None:
    blocks = [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "AAAA"},
    ]
    said = reply(content="Yes.", reasoning_content="Hm.", thinking_blocks=blocks)
    assert said["content"] == [*blocks, text("Yes.")]


@pytest.mark.parametrize(
    ("arguments", "given_to_it"),
    [
        ('{"a": 1}', {"a": 1}),
        ({"a": 1}, {"a": 1}),
        ("", {}),
        ("{", {}),
        ("[1]", {}),
        ("null", {}),
        (None, {}),
        ("\ud800", {}),
        ('{"a":' * 500 + "1" + "}" * 500, {}),
    ],
    ids=["text", "object", "empty", "cut", "array", "null", "none", "surrogate", "deep"],
)
def test_what_a_tool_is_called_with_is_an_object(arguments: Any, given_to_it: Any) -> None:
    (block,) = reply("tool_calls", tool_calls=[call(arguments=arguments)])["content"]
    assert block["input"] == given_to_it


def test_a_call_without_an_id_is_given_one_of_its_own() -> None:
    content = reply("tool_calls", tool_calls=[call(""), call("")])["content"]
    ids = [block["id"] for block in content]
    assert len(set(ids)) == 2
    assert all(each.startswith("toolu_abc") for each in ids)


@pytest.mark.parametrize(
    ("finish_reason", "stop_reason"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("content_filter", "refusal"),
        ("tool_calls", "end_turn"),
        ("of_next_year", "end_turn"),
        (None, "end_turn"),
        (5, "end_turn"),
    ],
)
def test_why_it_stopped(finish_reason: Any, stop_reason: str) -> None:
    assert reply(finish_reason, content="Hi.")["stop_reason"] == stop_reason


def test_a_call_is_the_reason_even_where_the_server_says_that_it_just_stopped() -> None:
    assert reply("stop", tool_calls=[call()])["stop_reason"] == "tool_use"
    assert reply("length", tool_calls=[call()])["stop_reason"] == "max_tokens"


def test_a_refusal_is_said_and_is_the_reason() -> None:
    said = reply(refusal="I will not.")
    assert said["content"] == [text("I will not.")]
    assert said["stop_reason"] == "refusal"


def test_the_sequence_that_stopped_it_is_told_where_it_is_known() -> None:
    said = reply(content="Hi.", choice={"stop_reason": "END"})
    assert (said["stop_reason"], said["stop_sequence"]) == ("stop_sequence", "END")


def test_tokens_of_the_cache_are_counted_apart() -> None:
    usage = {
        **USAGE,
        "prompt_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 2},
    }
    told = reply(content="Hi.", usage=usage)["usage"]
    assert {name: value for name, value in told.items() if value is not None} == {
        "input_tokens": 1,
        "cache_creation_input_tokens": 3,
        "cache_read_input_tokens": 6,
        "output_tokens": 5,
        "output_tokens_details": {"thinking_tokens": 2},
    }


def test_a_part_of_the_usage_is_no_estimate() -> None:
    told = reply(content="Hi.", usage={"prompt_tokens": 0, "completion_tokens": 5})["usage"]
    assert (told["input_tokens"], told["output_tokens"]) == (0, 5)


@pytest.mark.parametrize("usage", [None, {}, 5, {"prompt_tokens": "many"}])
def test_usage_that_is_not_told_is_estimated(usage: Any) -> None:
    told = reply(content="Hello there", usage=usage)["usage"]
    assert told["input_tokens"] > 0
    assert told["output_tokens"] > 0


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=400, type="x"), "invalid_request_error"),
        (Answer(status=400, type="x", code="model_not_found"), "not_found_error"),
        (Answer(status=401, type="x"), "authentication_error"),
        (Answer(status=403, type="x"), "permission_error"),
        (Answer(status=404, type="x"), "not_found_error"),
        (Answer(status=405, type="x"), "invalid_request_error"),
        (Answer(status=413, type="x"), "request_too_large"),
        (Answer(status=429, type="x"), "rate_limit_error"),
        (Answer(status=500, type="x"), "api_error"),
        (Answer(status=501, type="x"), "api_error"),
        (Answer(status=502, type="x"), "api_error"),
        (Answer(status=503, type="x"), "overloaded_error"),
        (Answer(status=504, type="x"), "timeout_error"),
    ],
)
def test_errors_have_anthropics_types(answer: Answer, kind: str) -> None:
    body = {"type": "error", "error": {"type": kind, "message": "No."}, "request_id": None}
    assert FRONT.error("No.", answer) == body
    assert FRONT.error_event("No.", answer) == (
        b"event: error\ndata: " + orjson.dumps(body) + b"\n\n"
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
NAMES = st.sampled_from(
    [
        *("content", "refusal", "reasoning_content", "reasoning", "thinking_blocks"),
        *("tool_calls", "id", "function", "name", "arguments", "type", "text"),
    ]
)


@given(message=st.dictionaries(NAMES, JSON | st.lists(st.dictionaries(NAMES, JSON))), usage=JSON)
def test_whatever_the_model_says_is_a_message(message: dict[str, Any], usage: Any) -> None:
    said = reply("stop", usage, **message)
    assert said["type"] == "message"
    assert all(isinstance(block["type"], str) for block in said["content"])
    orjson.dumps(said)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=10)
INPUTS = st.dictionaries(TEXTS, st.integers(-100, 100) | TEXTS | st.lists(st.booleans()))
CALLS = st.lists(st.tuples(TEXTS, TEXTS, INPUTS), max_size=3)


@given(said=TEXTS, calls=CALLS)
def test_texts_and_calls_survive_the_way_there_and_back(
    said: str, calls: list[tuple[str, str, Any]]
) -> None:
    content: list[dict[str, Any]] = [
        text(said),
        *({"type": "tool_use", "id": i, "name": n, "input": a, **DIRECT} for i, n, a in calls),
    ]
    turn = {"role": "assistant", "content": content}
    (message,) = FRONT.parse({"model": "m", "max_tokens": 9, "messages": [turn]}).body["messages"]
    assert reply("stop", **message)["content"] == content
