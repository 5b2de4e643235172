import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.wire.malformed import Malformed
from langroute.adapters.wire.mended import finish_reason
from langroute.adapters.wire.well_formed import well_formed_chunk, well_formed_reply

CALL: dict[str, Any] = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def reply(message: object, **choice: Any) -> dict[str, Any]:
    return {"choices": [{"message": message, **choice}]}


def chunk(delta: object, **choice: Any) -> dict[str, Any]:
    return {"choices": [{"delta": delta, **choice}]}


def calls_of(body: dict[str, Any], part: str) -> Any:
    return body["choices"][0][part]["tool_calls"]


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("stop", "stop"),
        ("tool_calls", "tool_calls"),
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("MAX_TOKENS", "length"),
        ("tool_use", "tool_calls"),
        ("SAFETY", "content_filter"),
        ("error", "error"),  # breaks a stream off, further on
    ],
)
def test_ends_are_told_in_openais_words(told: str, shown: str) -> None:
    assert finish_reason(told) == shown


def test_an_empty_reason_is_no_end_of_a_stream() -> None:
    (shown,) = well_formed_chunk(chunk({"content": "H"}, finish_reason=""))["choices"]
    assert shown["finish_reason"] is None


def test_calls_without_an_id_are_given_one_each() -> None:
    call = {"function": {"name": "f", "arguments": "{}"}}
    body = reply({"tool_calls": [copy.deepcopy(call), copy.deepcopy(call)]})
    first, second = calls_of(well_formed_reply(body), "message")
    assert first["id"] != second["id"]
    assert first["type"] == second["type"] == "function"


def test_arguments_are_a_text() -> None:
    body = reply({"tool_calls": [{**CALL, "function": {"name": "f", "arguments": {"a": 1}}}]})
    (call,) = calls_of(well_formed_reply(body), "message")
    assert call["function"]["arguments"] == '{"a":1}'


def test_what_is_in_order_is_left_alone() -> None:
    message = {"role": "assistant", "content": None, "refusal": None, "tool_calls": [CALL]}
    probabilities = {"content": [{"token": "a"}], "refusal": None}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 9}
    body = {
        **reply(message, index=0, finish_reason="tool_calls", logprobs=probabilities),
        "object": "chat.completion",
        "service_tier": "flex",
        "system_fingerprint": "fp",
        "usage": usage,
    }
    assert well_formed_reply(copy.deepcopy(body)) == body


@pytest.mark.parametrize("calls", [7, "call", {}, [None], ["call"]])
def test_calls_that_are_none_are_malformed(calls: object) -> None:
    with pytest.raises(Malformed):
        well_formed_reply(reply({"tool_calls": calls}))
    with pytest.raises(Malformed):
        well_formed_chunk(chunk({"tool_calls": calls}))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)  # what orjson reads as integers
    | st.floats(allow_nan=False)
    | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=8,
)
SAID = st.dictionaries(
    st.sampled_from(["role", "content", "refusal", "tool_calls", "function_call"]), JSON
)
CALLS = st.lists(
    st.dictionaries(
        st.sampled_from(["id", "type", "index", "function"]),
        JSON | st.dictionaries(st.sampled_from(["name", "arguments"]), JSON),
    ),
    max_size=3,
)


@given(
    said=SAID,
    calls=CALLS,
    logprobs=JSON,
    usage=JSON,
    top=st.dictionaries(st.sampled_from(["service_tier", "system_fingerprint", "id"]), JSON),
)
def test_mending_twice_is_mending_once(
    said: Any, calls: Any, logprobs: Any, usage: Any, top: Any
) -> None:
    body = {
        **top,
        "usage": usage,
        **reply({**said, "tool_calls": calls}, logprobs=logprobs, finish_reason="eos"),
    }
    once = well_formed_reply(body)
    assert well_formed_reply(copy.deepcopy(once)) == once
