"""A streamed answer in the OpenAI format, as Anthropic's events."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.entrypoints.http.dialects.messages.events import StreamedMessage, event
from langroute.entrypoints.http.dialects.messages.front import Messages

ASKED = Messages().parse(
    {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "Hello there"}]}
)
HEAD = {"id": "chatcmpl-abc", "object": "chat.completion.chunk", "model": "gpt-x"}
USAGE = {
    "prompt_tokens": 10,
    "completion_tokens": 5,
    "total_tokens": 15,
    "prompt_tokens_details": {"cached_tokens": 4},
}
TEXT = {"type": "text", "text": "", "citations": None}
NO_MORE = {"stop_details": None, "container": None}
DIRECT = {"caller": {"type": "direct"}}
BEGIN = {"role": "assistant", "content": ""}


def chunks(
    *deltas: Any, finish_reason: Any = "stop", usage: Any = USAGE, **last: Any
) -> list[dict[str, Any]]:
    ends = [None] * len(deltas) + [finish_reason]
    told: list[dict[str, Any]] = [
        {**HEAD, "usage": None, "choices": [{"index": 0, "delta": delta, "finish_reason": end}]}
        for delta, end in zip([*deltas, {}], ends, strict=True)
    ]
    told[-1]["choices"][0] |= last
    return [*told, {**HEAD, "choices": [], "usage": usage}] if usage else told


def events(given: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    message = StreamedMessage(ASKED)
    told = [each for chunk in given for each in message.read(chunk)]
    # As they are when they are sent: nothing may change behind.
    return [orjson.loads(orjson.dumps(each)) for each in [*told, *message.end()]]


def call(index: Any, arguments: Any, call_id: Any = None, name: Any = None) -> dict[str, Any]:
    function = {"arguments": arguments, **({"name": name} if name else {})}
    return {"tool_calls": [{"index": index, "id": call_id, "function": function}]}


def content(told: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The blocks as a client puts them together; fails where they are out of order."""
    blocks: list[dict[str, Any]] = []
    is_open = False
    for each in told:
        match each["type"]:
            case "content_block_start":
                assert not is_open
                assert each["index"] == len(blocks)
                blocks.append(dict(each["content_block"]))
                is_open = True
            case "content_block_delta":
                assert is_open
                assert each["index"] == len(blocks) - 1
                _grow(blocks[-1], each["delta"])
            case "content_block_stop":
                assert is_open
                assert each["index"] == len(blocks) - 1
                is_open = False
    assert not is_open
    return blocks


def _grow(block: dict[str, Any], delta: Mapping[str, Any]) -> None:
    match delta:
        case {"type": "text_delta", "text": str(text)}:
            block["text"] += text
        case {"type": "thinking_delta", "thinking": str(text)}:
            block["thinking"] += text
        case {"type": "signature_delta", "signature": str(signature)}:
            block["signature"] = signature
        case {"type": "input_json_delta", "partial_json": str(text)}:
            block["input"] = (block["input"] or "") + text
        case _:
            raise AssertionError(delta)


def test_a_text_is_told_as_it_comes() -> None:
    told = events(chunks(BEGIN, {"content": "Hi"}, {"content": " there."}))
    nothing = {
        "input_tokens": 0,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 0,
        "output_tokens_details": None,
        "server_tool_use": None,
    }
    more = {"cache_creation": None, "inference_geo": None, "service_tier": None}
    assert told == [
        {
            "type": "message_start",
            "message": {
                "id": "msg_abc",
                "type": "message",
                "role": "assistant",
                "model": "gpt-x",
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "stop_details": None,
                "container": None,
                "usage": {**nothing, **more},
            },
        },
        {"type": "content_block_start", "index": 0, "content_block": TEXT},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hi"}},
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "text_delta", "text": " there."},
        },
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None, **NO_MORE},
            "usage": {**nothing, "input_tokens": 6, "cache_read_input_tokens": 4}
            | {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ]


def test_nothing_that_can_be_told_is_held_back() -> None:
    message = StreamedMessage(ASKED)
    first, second = chunks(BEGIN, {"content": "Hi"})[:2]
    assert [each["type"] for each in message.read(first)] == ["message_start"]
    kinds = [each["type"] for each in message.read(second)]
    assert kinds == ["content_block_start", "content_block_delta"]


def test_events_are_named_by_their_type() -> None:
    assert event({"type": "ping"}) == b'event: ping\ndata: {"type":"ping"}\n\n'


@pytest.mark.parametrize("kind", [None, 5, "a\nevent: b", ""])
def test_what_is_no_name_names_no_event(kind: Any) -> None:
    assert event({"type": kind}).startswith(b"data: ")


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_are_a_block_before_the_text(name: str) -> None:
    told = events(chunks(BEGIN, {name: "Hm"}, {name: "."}, {"content": "Yes."}))
    assert content(told) == [
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {**TEXT, "text": "Yes."},
    ]


def test_signed_thoughts_keep_their_signatures() -> None:
    def thought(**fields: Any) -> dict[str, Any]:
        return {"thinking_blocks": [{"type": "thinking", **fields}]}

    redacted = {"type": "redacted_thinking", "data": "AAAA"}
    told = events(
        chunks(
            {**thought(thinking="Hm"), "reasoning_content": "Hm"},
            thought(thinking="."),
            thought(signature="c2ln"),
            thought(thinking="And."),
            {"thinking_blocks": [redacted]},
            {"content": "Yes."},
        )
    )
    assert content(told) == [
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "thinking", "thinking": "And.", "signature": ""},
        redacted,
        {**TEXT, "text": "Yes."},
    ]


def test_a_thought_that_is_said_again_with_its_signature_is_told_once() -> None:
    signed = {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"}
    pieces = [{"reasoning_content": "Hm"}, {"reasoning_content": "."}]
    told = events(chunks(*pieces, {"thinking_blocks": [signed]}, {"content": "Yes."}))
    assert content(told) == [signed, {**TEXT, "text": "Yes."}]


def test_calls_that_are_told_in_turns_are_blocks_one_after_the_other() -> None:
    told = events(
        chunks(
            {"content": "I look."},
            call(0, "", "call_1", "weather"),
            call(0, '{"a":'),
            call(1, '{"b"', "call_2", "time"),
            call(0, "1}"),
            call(1, ":2}"),
            finish_reason="tool_calls",
        )
    )
    assert content(told) == [
        {**TEXT, "text": "I look."},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": '{"a":1}', **DIRECT},
        {"type": "tool_use", "id": "call_2", "name": "time", "input": '{"b":2}', **DIRECT},
    ]
    assert told[-2]["delta"]["stop_reason"] == "tool_use"


def test_the_first_call_is_told_as_it_comes() -> None:
    message = StreamedMessage(ASKED)
    for chunk in chunks(BEGIN, call(0, "", "call_1", "weather"))[:2]:
        list(message.read(chunk))
    (told,) = message.read(chunks(call(0, '{"a":'))[0])
    assert told["delta"] == {"type": "input_json_delta", "partial_json": '{"a":'}


@pytest.mark.parametrize("index", [0, None, "x"])
def test_calls_that_are_not_numbered_are_told_apart_by_their_ids(index: Any) -> None:
    told = events(
        chunks(
            call(index, "{}", "call_1", "weather"),
            call(index, '{"b":', "call_2", "time"),
            call(index, "2}"),
        )
    )
    assert [(b["id"], b["input"]) for b in content(told)] == [
        ("call_1", "{}"),
        ("call_2", '{"b":2}'),
    ]


def test_an_id_that_changes_with_each_piece_is_the_same_call() -> None:
    told = events(chunks(call(0, "", "a", "weather"), call(0, "{", "b"), call(0, "}", "c")))
    (block,) = content(told)
    assert block == {"type": "tool_use", "id": "a", "name": "weather", "input": "{}", **DIRECT}


def test_a_call_waits_for_its_name_and_is_given_an_id_where_it_has_none() -> None:
    told = events(chunks(call(0, '{"a":'), call(0, "1}", name="weather"), {"content": "So."}))
    used, text = content(told)
    assert used == {
        "type": "tool_use",
        "id": "toolu_abc_0",
        "name": "weather",
        "input": '{"a":1}',
        **DIRECT,
    }
    assert text == {**TEXT, "text": "So."}


@pytest.mark.parametrize(
    ("finish_reason", "stop_reason"),
    [("stop", "end_turn"), ("length", "max_tokens"), ("content_filter", "refusal")],
)
def test_why_it_stopped(finish_reason: str, stop_reason: str) -> None:
    told = events(chunks({"content": "Hi"}, finish_reason=finish_reason))
    assert told[-2]["delta"] == {"stop_reason": stop_reason, "stop_sequence": None, **NO_MORE}


def test_a_refusal_is_said_and_is_the_reason() -> None:
    told = events(chunks({"refusal": "I will"}, {"refusal": " not."}))
    assert content(told) == [{**TEXT, "text": "I will not."}]
    assert told[-2]["delta"]["stop_reason"] == "refusal"


def test_the_sequence_that_stopped_it_is_told_where_it_is_known() -> None:
    told = events(chunks({"content": "Hi"}, stop_reason="END"))
    end = {"stop_reason": "stop_sequence", "stop_sequence": "END", **NO_MORE}
    assert told[-2]["delta"] == end


def test_usage_that_is_not_told_is_estimated() -> None:
    usage = events(chunks({"content": "Hello there"}, usage=None))[-2]["usage"]
    assert usage["input_tokens"] > 0
    assert usage["output_tokens"] == 3


def test_only_the_first_choice_is_told() -> None:
    told = chunks({"content": "Hi"})
    told[0]["choices"].append({"index": 1, "delta": {"content": "Ho"}, "finish_reason": None})
    assert content(events(told)) == [{**TEXT, "text": "Hi"}]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
CALLS = st.fixed_dictionaries(
    {},
    optional={
        "index": st.integers(0, 2) | JSON,
        "id": st.sampled_from(["a", "b"]) | JSON,
        "function": JSON | st.dictionaries(st.sampled_from(["name", "arguments"]), JSON),
    },
)
THOUGHTS = st.fixed_dictionaries(
    {"type": st.sampled_from(["thinking", "redacted_thinking", "else"])},
    optional={"thinking": JSON, "signature": JSON, "data": JSON},
)
DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "content": JSON,
        "reasoning_content": JSON,
        "reasoning": JSON,
        "refusal": JSON,
        "tool_calls": JSON | st.lists(CALLS, max_size=3),
        "thinking_blocks": JSON | st.lists(THOUGHTS, max_size=3),
    },
)


@given(st.lists(DELTAS, max_size=6), JSON)
def test_whatever_the_model_says_is_a_well_ordered_message(deltas: list[Any], usage: Any) -> None:
    told = events(chunks(*deltas, usage=usage))
    assert told[0]["type"] == "message_start"
    assert [each["type"] for each in told[-2:]] == ["message_delta", "message_stop"]
    content(told)


PIECES = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)


@given(st.lists(st.tuples(st.integers(0, 3), PIECES)))
def test_nothing_of_a_call_is_lost_in_whichever_order_it_comes(
    pieces: list[tuple[int, str]],
) -> None:
    deltas = [call(number, piece, f"call_{number}", f"f{number}") for number, piece in pieces]
    found = {b["id"]: b["input"] or "" for b in content(events(chunks(*deltas)))}
    numbers = {number for number, _ in pieces}
    assert found == {
        f"call_{number}": "".join(piece for n, piece in pieces if n == number) for number in numbers
    }
