"""Responses as they are asked for, in the terms of chats."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from responses_asked import ANY_JSON, asked, messages

from langroute.domain.dialects import Dialect
from langroute.domain.errors import InvalidRequest
from langroute.entrypoints.http.dialects.responses.front import Responses

WEATHER = {
    "type": "function",
    "name": "weather",
    "description": "The weather in a city.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": True,
}
CALL = {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "call_1", "output": "Sunny"}


def test_a_text_is_what_the_user_says_behind_the_instructions() -> None:
    chat = asked(instructions="Be brief.", max_output_tokens=20, stream=True)
    assert chat.body == {
        "model": "some-model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Hi"},
        ],
        "max_completion_tokens": 20,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert (chat.output_cap, chat.include_usage) == (20, True)
    assert chat.native is not None
    assert chat.native.dialect is Dialect.RESPONSES
    assert (chat.native.only_native, chat.native.dropped) == (None, ())


def test_the_caller_s_own_words_are_kept_and_left_alone() -> None:
    body = {"model": "m", "input": [{"role": "user", "content": "Hi"}], "tools": [WEATHER]}
    before = copy.deepcopy(body)
    native = Responses().parse(body).native
    assert native is not None
    assert native.body is body
    assert body == before


def test_parts_have_the_names_that_chats_give_them() -> None:
    parts = [
        {"type": "input_text", "text": "What is this?"},
        {"type": "input_image", "image_url": "https://a.example/b.png", "detail": "low"},
        {"type": "input_file", "filename": "a.pdf", "file_data": "data:application/pdf;base64,AA"},
        {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}},
    ]
    file = {"file_data": "data:application/pdf;base64,AA", "filename": "a.pdf"}
    assert messages({"role": "user", "content": parts}) == [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {
                    "type": "image_url",
                    "image_url": {"url": "https://a.example/b.png", "detail": "low"},
                },
                {"type": "file", "file": file},
                {"type": "input_audio", "input_audio": {"data": "AA", "format": "mp3"}},
            ],
        }
    ]


def test_the_items_of_one_turn_are_one_message() -> None:
    said: dict[str, Any] = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
    }
    said |= {"content": [{"type": "output_text", "text": "Let me see.", "annotations": []}]}
    thought: dict[str, Any] = {"type": "reasoning", "id": "rs_1"}
    thought |= {"summary": [{"type": "summary_text", "text": "Paris"}]}
    other = {**CALL, "call_id": "call_2", "arguments": '{"city": "Rome"}'}
    assert messages(
        {"role": "user", "content": "Where is it warm?"},
        thought,
        said,
        CALL,
        other,
        OUTPUT,
        {**OUTPUT, "call_id": "call_2", "output": [{"type": "input_text", "text": "Rain"}]},
        {"role": "developer", "content": "Go on."},
    ) == [
        {"role": "user", "content": "Where is it warm?"},
        {
            "role": "assistant",
            "content": "Let me see.",
            "reasoning_content": "Paris",
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": "{}"},
                },
                {
                    "id": "call_2",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city": "Rome"}'},
                },
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": "Rain"},
        {"role": "system", "content": "Go on."},
    ]


def test_text_behind_a_call_does_not_part_it_from_its_output() -> None:
    said = {"role": "assistant", "content": "Looking."}
    roles = [message["role"] for message in messages(CALL, said, OUTPUT)]
    assert roles == ["assistant", "tool"]


def test_two_answers_in_a_row_stay_two() -> None:
    one, two = ({"role": "assistant", "content": text} for text in ("One.", "Two."))
    assert messages(one, two) == [one, two]


def test_a_refusal_is_the_assistant_s() -> None:
    refused = {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}
    assert messages(refused) == [{"role": "assistant", "content": None, "refusal": "No."}]


def test_functions_are_nested_and_keep_that_they_are_strict() -> None:
    body = asked(tools=[WEATHER], tool_choice={"type": "function", "name": "weather"}).body
    function = {name: value for name, value in WEATHER.items() if name != "type"}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}


def test_of_several_tools_only_those_allowed_are_sent() -> None:
    allowed: dict[str, Any] = {"type": "allowed_tools", "mode": "required"}
    allowed |= {"tools": [{"type": "function", "name": "weather"}]}
    body = asked(tools=[WEATHER, {**WEATHER, "name": "time"}], tool_choice=allowed).body
    assert [tool["function"]["name"] for tool in body["tools"]] == ["weather"]
    assert body["tool_choice"] == "required"


def test_without_tools_nothing_is_said_of_how_to_call_them() -> None:
    body = asked(tools=[], tool_choice="auto", parallel_tool_calls=True).body
    assert body.keys() == {"model", "messages"}


@pytest.mark.parametrize(
    ("shape", "response_format"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, {"type": "json_object"}),
        (
            {"type": "json_schema", "name": "city", "schema": {"type": "object"}, "strict": True},
            {
                "type": "json_schema",
                "json_schema": {"name": "city", "schema": {"type": "object"}, "strict": True},
            },
        ),
    ],
)
def test_the_shape_of_the_text_is_the_chat_s_response_format(
    shape: dict[str, Any], response_format: dict[str, Any] | None
) -> None:
    body = asked(text={"format": shape, "verbosity": "low"}).body
    assert body.get("response_format") == response_format
    assert body["verbosity"] == "low"


def test_what_chats_have_under_the_same_name_passes_and_the_rest_is_translated() -> None:
    same = {
        "temperature": 0.5,
        "top_p": 0.9,
        "metadata": {"a": "b"},
        "user": "u",
        "store": False,
        "safety_identifier": "s",
        "prompt_cache_key": "k",
        "service_tier": "flex",
        "top_k": 3,
    }
    chat = asked(
        **same,
        reasoning={"effort": "low", "summary": "auto"},
        include=["message.output_text.logprobs"],
        top_logprobs=2,
        truncation="disabled",
        background=False,
        max_tool_calls=3,
    )
    asked_for = {"reasoning_effort": "low", "logprobs": True, "top_logprobs": 2}
    assert {name: chat.body[name] for name in chat.body if name not in ("model", "messages")} == {
        **same,
        **asked_for,
    }
    assert chat.native is not None
    assert (chat.native.only_native, chat.native.dropped) == (None, ())


def test_what_is_left_out_is_named() -> None:
    chat = asked(
        input=[
            {"role": "user", "content": "Hi"},
            {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"},
        ],
        truncation="auto",
        include=["reasoning.encrypted_content", "file_search_call.results"],
        reasoning={"context": "all_turns"},
        messages=[{"role": "user", "content": "Another conversation"}],
        n=3,
    )
    assert chat.native is not None
    assert set(chat.native.dropped) == {
        *("messages", "n", "truncation", "input.encrypted_content", "reasoning.context"),
        "include.file_search_call.results",
    }
    assert chat.choices == 3  # whoever speaks the dialect may write as many


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"previous_response_id": "resp_1", "input": None}, "previous_response_id"),
        ({"conversation": "conv_1", "input": []}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}, "input": None}, "prompt"),
        ({"tools": [WEATHER, {"type": "web_search"}]}, "tools.1.type"),
        ({"tools": [{"type": "custom", "name": "sql"}]}, "tools.0.type"),
        ({"tool_choice": {"type": "web_search_preview"}}, "tool_choice.type"),
        ({"input": [{"type": "item_reference", "id": "msg_1"}]}, "input.0"),
        ({"input": [{"id": "msg_1"}]}, "input.0"),
        ({"input": [OUTPUT, {"type": "computer_call", "id": "c"}]}, "input.1.type"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input.0.content.0.file_id",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_url": "f"}]}]},
            "input.0.content.0.file_url",
        ),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
    ],
)
def test_what_has_no_translation_is_for_those_who_speak_the_dialect(
    fields: dict[str, Any], param: str
) -> None:
    native = asked(**fields).native
    assert native is not None
    assert native.only_native == param


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"input": None}, "input"),
        ({"input": []}, "input"),
        ({"input": 5}, "input"),
        ({"input": ["Hi"]}, "input.0"),
        ({"input": [{"content": "Hi"}]}, "input.0.type"),
        ({"input": [{"role": "user"}]}, "input.0.content"),
        ({"input": [{"role": 5, "content": "Hi"}]}, "input.0.role"),
        ({"input": [{"role": "user", "content": ["Hi"]}]}, "input.0.content.0"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_text"}]}]},
            "input.0.content.0.text",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": 1}]}]},
            "input.0.content.0.image_url",
        ),
        ({"input": [{**CALL, "call_id": None}]}, "input.0.call_id"),
        ({"input": [{**CALL, "arguments": {}}]}, "input.0.arguments"),
        ({"input": [{**OUTPUT, "output": None}]}, "input.0.output"),
        ({"instructions": ["Be brief."]}, "instructions"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"max_output_tokens": True}, "max_output_tokens"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"temperature": "hot"}, "temperature"),
        ({"stream": "yes"}, "stream"),
        ({"stream_options": {"include_obfuscation": False}}, "stream_options"),
        ({"tools": [5]}, "tools.0"),
        ({"tools": [{"type": "function"}]}, "tools.0.name"),
        ({"tool_choice": {"type": "function"}}, "tool_choice.name"),
        ({"text": []}, "text"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format.name"),
        ({"reasoning": {"effort": 1}}, "reasoning.effort"),
        ({"background": "yes"}, "background"),
        ({"background": True}, "background"),
        ({"conversation": 5}, "conversation"),
    ],
)
def test_a_wrong_field_is_named_as_its_caller_wrote_it(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        asked(**fields)
    assert caught.value.param == param


@pytest.mark.parametrize("body", [None, [], "Hi", 5])
def test_what_is_no_object_is_refused(body: object) -> None:
    with pytest.raises(InvalidRequest):
        Responses().parse(body)


TYPES = st.sampled_from(
    [
        *("message", "reasoning", "function_call", "function_call_output", "item_reference"),
        *("input_text", "input_image", "input_file", "output_text", "refusal", "function"),
        *("allowed_tools", "json_schema", "text", "web_search"),
    ]
)
FIELDS = st.sampled_from(
    [
        *("role", "content", "summary", "call_id", "name", "arguments", "output", "id", "text"),
        *("image_url", "file_id", "file_data", "refusal", "tools", "mode", "format", "effort"),
    ]
)
NEARLY = st.recursive(
    ANY_JSON,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.builds(
            lambda kind, fields: {"type": kind, **fields},
            TYPES,
            st.dictionaries(FIELDS, inner, max_size=5),
        )
    ),
    max_leaves=8,
)
ASKED = st.sampled_from(
    [
        *("input", "instructions", "tools", "tool_choice", "text", "reasoning", "include"),
        *("stream", "stream_options", "max_output_tokens", "top_logprobs", "metadata"),
        *("previous_response_id", "conversation", "prompt", "background", "truncation", "n"),
    ]
)


@given(ANY_JSON | st.dictionaries(ASKED, NEARLY, max_size=6).map(lambda b: {"model": "m", **b}))
def test_any_json_is_understood_or_refused(body: object) -> None:
    try:
        chat = Responses().parse(body)
    except InvalidRequest:
        return
    assert chat.body["messages"]
    assert all(isinstance(message["role"], str) for message in chat.body["messages"])
