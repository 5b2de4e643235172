"""Streamed chats as the events of responses."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from openai.types.responses import ResponseStreamEvent
from pydantic import TypeAdapter
from responses_asked import ANY_JSON

from langroute.entrypoints.http.dialects.responses.events import OwnEvents, TranslatedEvents, sse
from langroute.entrypoints.http.dialects.responses.keepsakes import unwrapped
from langroute.entrypoints.http.dialects.responses.replies import response_of
from langroute.entrypoints.http.errors import Answer

CHECKED = TypeAdapter[Any](ResponseStreamEvent)
ASKED: Mapping[str, Any] = {"model": "some-model", "input": "Hi"}
HEAD = {"id": "chatcmpl-abc", "created": 1_780_000_000, "model": "m-1"}
USAGE = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}
SERVER_ERROR = Answer(status=502, type="server_error", code="provider_broke_off")


def read(written: bytes) -> list[dict[str, Any]]:
    events = []
    for block in written.split(b"\n\n")[:-1]:
        name, data = block.split(b"\n")
        event = orjson.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + event["type"].encode()
        events.append(event)
    return events


def chunk(delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, **more}
    return {**HEAD, "choices": [choice]}


def calling(index: int, **function: str) -> dict[str, Any]:
    call_id = function.pop("id", None)
    told = {"id": call_id, "type": "function"} if call_id else {}
    return {"tool_calls": [{"index": index, **told, "function": function}]}


def streamed(
    *deltas: dict[str, Any], finish_reason: str = "stop", **more: Any
) -> list[dict[str, Any]]:
    writer = TranslatedEvents(ASKED)
    chunks = [chunk(delta, **more) for delta in ({"role": "assistant", "content": ""}, *deltas)]
    chunks += [chunk({}, finish_reason), {**HEAD, "choices": [], "usage": USAGE}]
    events = read(b"".join(map(writer.chunk, chunks)) + writer.end())
    check_order(events)
    return events


def kinds(events: Iterable[Mapping[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def check_order(events: list[dict[str, Any]]) -> None:
    """What the documents promise of every stream."""
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert kinds(events)[:2] == ["created", "in_progress"]
    assert kinds(events)[-1] in {"completed", "incomplete"}
    steps: dict[int, list[str]] = defaultdict(list)
    for event in events[2:-1]:
        steps[event["output_index"]].append(event["type"])
        CHECKED.validate_python(event)
    output = events[-1]["response"]["output"]
    assert sorted(steps) == list(range(len(output)))
    for index, of_item in steps.items():
        assert of_item[0] == "response.output_item.added"
        assert of_item[-1] == "response.output_item.done"
        done = [event for event in events[2:-1] if event["output_index"] == index][-1]
        assert done["item"] == output[index]


def test_text_comes_in_one_part_of_one_message() -> None:
    events = streamed({"content": "Hel"}, {"content": "lo."})
    assert kinds(events) == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *("output_text.delta", "output_text.delta", "output_text.done"),
        *("content_part.done", "output_item.done", "completed"),
    ]
    assert [event["delta"] for event in events[4:6]] == ["Hel", "lo."]
    assert events[6]["text"] == "Hello."
    assert events[3]["part"]["text"] == ""
    assert {event["item_id"] for event in events[3:8]} == {"msg_abc_0"}


def test_thoughts_end_when_the_text_begins() -> None:
    events = streamed({"reasoning_content": "H"}, {"reasoning": "m."}, {"content": "Hello."})
    assert kinds(events)[2:9] == [
        *("output_item.added", "reasoning_summary_part.added"),
        *("reasoning_summary_text.delta", "reasoning_summary_text.delta"),
        *("reasoning_summary_text.done", "reasoning_summary_part.done", "output_item.done"),
    ]
    thought, message = events[-1]["response"]["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert message["content"][0]["text"] == "Hello."


def test_a_refusal_behind_text_is_a_part_of_its_own() -> None:
    events = streamed({"content": "Well. "}, {"refusal": "N"}, {"refusal": "o."})
    assert kinds(events)[6:12] == [
        *("content_part.done", "content_part.added", "refusal.delta", "refusal.delta"),
        *("refusal.done", "content_part.done"),
    ]
    assert [event["content_index"] for event in events[6:12]] == [0, 1, 1, 1, 1, 1]
    assert events[10]["refusal"] == "No."


def test_parallel_calls_are_items_in_order_however_their_deltas_come() -> None:
    events = streamed(
        {"content": "Wait."},
        calling(0, id="call_1", name="f", arguments=""),
        calling(1, id="call_2", name="g", arguments="{"),
        calling(0, arguments='{"a"'),
        calling(1, arguments="}"),
        calling(0, arguments=": 1}"),
        finish_reason="tool_calls",
    )
    _, first, second = events[-1]["response"]["output"]
    assert (first["call_id"], first["name"], first["arguments"]) == ("call_1", "f", '{"a": 1}')
    assert (second["call_id"], second["name"], second["arguments"]) == ("call_2", "g", "{}")
    for index, call in ((1, first), (2, second)):
        of_call = [e for e in events[2:-1] if e["output_index"] == index]
        assert "".join(event.get("delta", "") for event in of_call) == call["arguments"]
        assert of_call[0]["item"]["arguments"] == ""


@pytest.mark.parametrize(
    "deltas",
    [
        pytest.param(
            [
                {"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "1"}}]},
                {"tool_calls": [{"function": {"arguments": "2"}}]},
                {"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": "3"}}]},
            ],
            id="no index",
        ),
        pytest.param(
            [
                calling(0, id="a", name="f", arguments="12"),
                calling(0, id="b", name="g", arguments="3"),
            ],
            id="always the same index",
        ),
        pytest.param(
            [
                calling(0, id="a", name="f", arguments="1"),
                calling(0, id="another", arguments="2"),
                calling(1, id="b", name="g", arguments="3"),
            ],
            id="a new id with every delta",
        ),
        pytest.param(
            [
                calling(0, id="a", arguments="1"),
                calling(0, name="f", arguments="2"),
                calling(1, id="b", name="g", arguments="3"),
            ],
            id="the name after its arguments",
        ),
    ],
)
def test_careless_deltas_of_calls_are_sorted_out(deltas: list[dict[str, Any]]) -> None:
    output = streamed(*deltas)[-1]["response"]["output"]
    assert [(call["call_id"], call["name"], call["arguments"]) for call in output] == [
        ("a", "f", "12"),
        ("b", "g", "3"),
    ]


def test_a_call_without_an_id_is_given_one() -> None:
    (call,) = streamed(calling(0, name="f", arguments="{}"))[-1]["response"]["output"]
    assert call["call_id"] == "call_abc_0"


def test_an_answer_that_was_cut_off_is_incomplete() -> None:
    events = streamed({"content": "Hel"}, finish_reason="length")
    assert events[-1]["type"] == "response.incomplete"
    response = events[-1]["response"]
    assert response["incomplete_details"] == {"reason": "max_output_tokens"}
    assert response["output"][0]["status"] == "incomplete"


def test_usage_is_told_at_the_end() -> None:
    events = streamed({"content": "Hello."})
    assert events[0]["response"]["usage"] is None
    assert events[-1]["response"]["usage"]["total_tokens"] == 21


def test_an_answer_without_words_is_an_empty_message() -> None:
    (message,) = streamed()[-1]["response"]["output"]
    assert message["content"][0]["text"] == ""


def test_thoughts_are_signed_at_their_end_and_calls_with_them() -> None:
    extra = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    block = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    call = calling(0, id="a", name="f", arguments="{}")
    call["tool_calls"][0] |= extra
    events = streamed({"reasoning_content": "Hm."}, {"thinking_blocks": [block]}, call)
    thought, called = events[-1]["response"]["output"]
    assert unwrapped(thought["encrypted_content"]) == [block]
    assert called["extra_content"] == extra["extra_content"]
    assert events[2]["item"]["encrypted_content"] is None


def test_a_thought_that_may_not_be_read_is_an_item_without_a_summary() -> None:
    block = {"type": "redacted_thinking", "data": "c2VjcmV0"}
    events = streamed({"thinking_blocks": [block]}, {"content": "Hi"})
    assert kinds(events)[2:5] == ["output_item.added", "output_item.done", "output_item.added"]
    assert events[-1]["response"]["output"][0]["summary"] == []


TOKEN = {"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}
PIECES = st.lists(st.text(min_size=1, max_size=4), max_size=3)
CALLS = st.lists(
    st.tuples(st.text("abc_", min_size=1, max_size=8), st.lists(st.text(max_size=4), max_size=3)),
    max_size=3,
)


@given(thoughts=PIECES, text=PIECES, refusal=PIECES, calls=CALLS, is_cut=st.booleans())
def test_what_is_streamed_comes_to_what_a_whole_answer_is(
    thoughts: list[str],
    text: list[str],
    refusal: list[str],
    calls: list[tuple[str, list[str]]],
    is_cut: bool,
) -> None:
    finish_reason = "length" if is_cut else "tool_calls" if calls else "stop"
    events = streamed(
        *({"reasoning_content": piece} for piece in thoughts),
        *({"content": piece} for piece in text),
        *({"refusal": piece} for piece in refusal),
        *(
            {"tool_calls": [{"index": index, **told, "function": function}]}
            for index, (name, arguments) in enumerate(calls)
            for told, function in (
                ({"id": f"call_{index}"}, {"name": name, "arguments": ""}),
                *(({}, {"arguments": piece}) for piece in arguments),
            )
        ),
        finish_reason=finish_reason,
        logprobs={"content": [TOKEN]},
    )
    message = {
        "reasoning_content": "".join(thoughts),
        "content": "".join(text),
        "refusal": "".join(refusal),
        "tool_calls": [
            {"id": f"call_{index}", "function": {"name": name, "arguments": "".join(arguments)}}
            for index, (name, arguments) in enumerate(calls)
        ],
    }
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    choice["logprobs"] = {"content": [TOKEN] * len(text)}
    whole = response_of(ASKED, {**HEAD, "choices": [choice], "usage": USAGE})
    assert events[-1]["response"] == whole


def test_a_failure_is_told_twice_as_openai_does_and_nothing_is_completed() -> None:
    writer = TranslatedEvents(ASKED)
    before = read(writer.chunk(chunk({"content": "Hel"})))
    error, failed = read(writer.fail("It broke.", SERVER_ERROR))
    assert error == {
        "type": "error",
        "sequence_number": len(before),
        "code": "provider_broke_off",
        "message": "It broke.",
        "param": None,
        "error": {
            "message": "It broke.",
            "type": "server_error",
            "param": None,
            "code": "provider_broke_off",
        },
    }
    assert failed["sequence_number"] == len(before) + 1
    assert failed["response"]["status"] == "failed"
    assert failed["response"]["error"] == {"code": "server_error", "message": "It broke."}
    assert failed["response"]["output"][0]["content"][0]["text"] == "Hel"


OWN = [
    {"type": "response.created", "sequence_number": 0, "response": {"id": "resp_1", "output": []}},
    {"type": "response.output_text.delta", "sequence_number": 1, "delta": "Hel"},
]


def test_events_in_the_dialect_pass_as_they_came_under_their_names() -> None:
    writer = OwnEvents()
    assert read(b"".join(map(writer.chunk, OWN))) == OWN
    assert writer.end() == b""


def test_their_failure_is_numbered_on() -> None:
    writer = OwnEvents()
    for event in OWN:
        writer.chunk(event)
    error, failed = read(writer.fail("It broke.", SERVER_ERROR))
    assert (error["sequence_number"], failed["sequence_number"]) == (2, 3)
    assert failed["response"]["id"] == "resp_1"
    assert failed["response"]["status"] == "failed"


def test_a_failure_that_the_provider_told_of_is_not_told_of_again() -> None:
    writer = OwnEvents()
    writer.chunk({"type": "response.failed", "sequence_number": 0, "response": {"id": "resp_1"}})
    assert kinds(read(writer.fail("It broke.", SERVER_ERROR))) == ["error"]


@pytest.mark.parametrize("kind", ["response.a\nevent: error", 5, None, ["a"]])
def test_a_type_that_is_no_name_is_not_made_one(kind: Any) -> None:
    assert sse({"type": kind}).startswith(b"data: ")


DELTA = st.dictionaries(
    st.sampled_from(["content", "refusal", "reasoning", "tool_calls", "annotations"]),
    ANY_JSON
    | st.lists(
        st.dictionaries(st.sampled_from(["index", "id"]), ANY_JSON).flatmap(
            lambda call: st.builds(
                lambda function: {**call, "function": function},
                st.dictionaries(st.sampled_from(["name", "arguments"]), ANY_JSON),
            )
        ),
        max_size=2,
    ),
)
CHUNK = st.dictionaries(
    st.sampled_from(["id", "created", "model", "usage", "choices"]), ANY_JSON
) | st.builds(chunk, DELTA, st.sampled_from([None, "stop", "length"]))


NAMELESS: dict[str, Any] = {"tool_calls": [{"function": {}}]}


@given(st.lists(CHUNK, min_size=1, max_size=5))
@example([chunk(NAMELESS), chunk({"content": "0"}), chunk(NAMELESS, "length")])
def test_whatever_an_upstream_says_makes_a_stream_in_order(chunks: list[dict[str, Any]]) -> None:
    writer = TranslatedEvents(ASKED)
    check_order(read(b"".join(map(writer.chunk, chunks)) + writer.end()))
