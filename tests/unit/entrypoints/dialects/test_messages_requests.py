"""What Claude is asked, as a chat in the OpenAI format."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect
from langroute.domain.errors import InvalidRequest
from langroute.entrypoints.http.dialects.messages.front import Messages

HELLO = {"role": "user", "content": "Hello"}
ASKED = {"model": "some-model", "max_tokens": 100, "messages": [HELLO]}
SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
WEATHER = {"name": "weather", "description": "The weather.", "input_schema": SCHEMA}
FUNCTION = {"name": "weather", "description": "The weather.", "parameters": SCHEMA}
PNG = {"type": "base64", "media_type": "image/png", "data": "aGk="}


def chat(**fields: Any) -> dict[str, Any]:
    return dict(Messages().parse({**ASKED, **fields}).body)


def turns(*content: Any, role: str = "user") -> list[dict[str, Any]]:
    """The messages that one turn of these blocks comes to."""
    messages: list[dict[str, Any]] = chat(messages=[{"role": role, "content": [*content]}])[
        "messages"
    ]
    return messages


def test_the_plainest_request_is_a_chat_with_a_cap() -> None:
    parsed = Messages().parse(ASKED)
    assert parsed.body == {"model": "some-model", "max_tokens": 100, "messages": [HELLO]}
    assert parsed.output_cap == 100
    assert not parsed.stream


def test_the_callers_own_words_are_kept_and_not_changed() -> None:
    asked: dict[str, Any] = {
        **ASKED,
        "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        "tools": [WEATHER],
        "top_k": 5,
    }
    before = copy.deepcopy(asked)
    parsed = Messages().parse(asked)
    assert parsed.native is not None
    assert parsed.native.dialect is Dialect.MESSAGES
    assert parsed.native.body is asked
    assert asked == before
    assert "cache_control" not in json.dumps(parsed.body)
    assert "top_k" not in parsed.body


def test_a_stream_tells_its_usage() -> None:
    parsed = Messages().parse({**ASKED, "stream": True})
    assert parsed.stream
    assert parsed.include_usage


@pytest.mark.parametrize(
    ("system", "said"),
    [
        ("Be brief.", ["Be brief."]),
        (
            [{"type": "text", "text": "Be brief."}, {"type": "text", "text": "Be kind."}],
            ["Be brief.\n\nBe kind."],
        ),
        ("", []),
        ([], []),
        (None, []),
    ],
)
def test_the_system_speaks_first(system: Any, said: list[str]) -> None:
    messages = chat(system=system)["messages"]
    assert messages == [*({"role": "system", "content": text} for text in said), HELLO]


def test_the_system_may_speak_in_between() -> None:
    messages = [HELLO, {"role": "system", "content": "Be brief."}]
    assert chat(messages=messages)["messages"] == messages


@pytest.mark.parametrize(
    ("block", "part"),
    [
        (
            {"type": "image", "source": PNG, "cache_control": {"type": "ephemeral"}},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}},
        ),
        (
            {"type": "image", "source": {"type": "url", "url": "https://a.test/b.png"}},
            {"type": "image_url", "image_url": {"url": "https://a.test/b.png"}},
        ),
        (
            {"type": "image", "source": {"type": "file", "file_id": "file_1"}},
            {"type": "file", "file": {"file_id": "file_1"}},
        ),
        (
            {
                "type": "document",
                "title": "a.pdf",
                "source": {**PNG, "media_type": "application/pdf"},
            },
            {
                "type": "file",
                "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,aGk="},
            },
        ),
        (
            {"type": "document", "source": {"type": "url", "url": "https://a.test/b.pdf"}},
            {
                "type": "file",
                "file": {"filename": "document.pdf", "file_data": "https://a.test/b.pdf"},
            },
        ),
        (
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
            {"type": "file", "file": {"file_id": "file_1"}},
        ),
        (
            {"type": "of_next_year", "cache_control": {"type": "ephemeral"}, "x": 1},
            {"type": "of_next_year", "x": 1},
        ),
    ],
    ids=["base64", "url", "file", "pdf", "pdf url", "pdf file", "unknown"],
)
def test_pictures_and_files_are_parts(block: Any, part: Any) -> None:
    assert turns({"type": "text", "text": "What is it?"}, block) == [
        {"role": "user", "content": [{"type": "text", "text": "What is it?"}, part]}
    ]


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (
            {
                "type": "document",
                "title": "Notes",
                "context": "Of May.",
                "source": {"type": "text", "media_type": "text/plain", "data": "It rains."},
            },
            "Notes\n\nOf May.\n\nIt rains.",
        ),
        (
            {"type": "document", "source": {"type": "content", "content": "It rains."}},
            "It rains.",
        ),
        (
            {
                "type": "search_result",
                "title": "Weather",
                "source": "https://a.test",
                "content": [{"type": "text", "text": "It rains."}],
            },
            "Weather\nhttps://a.test\nIt rains.",
        ),
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "srvtoolu_1",
                "content": [
                    {
                        "type": "web_search_result",
                        "title": "Weather",
                        "url": "https://a.test",
                        "encrypted_content": "AAAA",
                    }
                ],
            },
            "\n[Weather\nhttps://a.test]\n",
        ),
        (
            {
                "type": "server_tool_use",
                "id": "srvtoolu_1",
                "name": "web_search",
                "input": {"query": "rain"},
            },
            '\n[web_search: {"query":"rain"}]\n',
        ),
    ],
    ids=["text", "content", "search result", "web search", "server call"],
)
def test_what_is_text_at_heart_is_text(block: Any, text: str) -> None:
    assert turns(block) == [{"role": "user", "content": text}]


def test_results_of_tools_come_before_what_the_user_says() -> None:
    said = {"type": "text", "text": "And now?"}
    first = {"type": "tool_result", "tool_use_id": "call_1", "content": "Sunny"}
    inside = [{"type": "text", "text": "Rain"}, {"type": "text", "text": "Wind"}]
    second = {"type": "tool_result", "tool_use_id": "call_2", "content": inside}
    third = {"type": "tool_result", "tool_use_id": "call_3"}
    assert turns(said, first, second, third) == [
        {"role": "tool", "tool_call_id": "call_1", "content": "Sunny"},
        {"role": "tool", "tool_call_id": "call_2", "content": "Rain\nWind"},
        {"role": "tool", "tool_call_id": "call_3", "content": ""},
        {"role": "user", "content": "And now?"},
    ]


def test_a_result_that_is_an_error_says_so() -> None:
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": "No", "is_error": True}
    assert turns(result) == [{"role": "tool", "tool_call_id": "call_1", "content": "Error: No"}]


def test_a_picture_that_a_tool_made_is_shown_by_the_user() -> None:
    inside = [{"type": "image", "source": PNG}]
    result = {"type": "tool_result", "tool_use_id": "call_1", "content": inside}
    tool, user = turns(result)
    assert tool["role"] == "tool"
    assert isinstance(tool["content"], str)
    assert user["role"] == "user"
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    assert user["content"][-1] == picture
    assert "call_1" in user["content"][0]["text"]


def test_an_answer_that_called_tools() -> None:
    (message,) = turns(
        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "AAAA"},
        {"type": "text", "text": "I look. "},
        {"type": "text", "text": "Wait."},
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {"city": "Paris"}},
        role="assistant",
    )
    function = {"name": "weather", "arguments": '{"city":"Paris"}'}
    assert message == {
        "role": "assistant",
        "content": "I look. Wait.",
        "reasoning_content": "Hm.",
        "thinking_blocks": [
            {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "AAAA"},
        ],
        "tool_calls": [{"id": "call_1", "type": "function", "function": function}],
    }


def test_thoughts_that_are_not_signed_are_text_only() -> None:
    (message,) = turns(
        {"type": "thinking", "thinking": "Hm.", "signature": ""},
        {"type": "text", "text": "Yes."},
        role="assistant",
    )
    assert message == {"role": "assistant", "content": "Yes.", "reasoning_content": "Hm."}


def test_an_answer_that_only_called_a_tool_has_no_content() -> None:
    (message,) = turns(
        {"type": "tool_use", "id": "call_1", "name": "weather", "input": {}}, role="assistant"
    )
    assert message["content"] is None


def test_tools_are_functions_and_anthropics_own_are_left_out() -> None:
    search = {"type": "web_search_20250305", "name": "web_search"}
    tools = chat(tools=[WEATHER, {**WEATHER, "type": "custom", "name": "w"}, search])["tools"]
    assert tools == [
        {"type": "function", "function": FUNCTION},
        {"type": "function", "function": {**FUNCTION, "name": "w"}},
    ]
    assert "tools" not in chat(tools=[search], tool_choice={"type": "any"})
    assert "tool_choice" not in chat(tools=[search], tool_choice={"type": "any"})


def test_what_has_no_translation_is_named() -> None:
    control = {"cache_control": {"type": "ephemeral"}}
    search = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
    loose = {"type": "object", "properties": {"city": {}}}
    asked = {
        **ASKED,
        **control,
        "system": [{"type": "text", "text": "Be brief.", **control}],
        "top_k": 5,
        "of_next_year": 1,
        "container": None,
        "tools": [
            {**WEATHER, **control, "strict": True},
            {**WEATHER, "strict": True, "input_schema": loose, "input_examples": [{"city": "x"}]},
            search,
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": "It rains."},
                        "citations": {"enabled": True},
                        **control,
                    }
                ],
            }
        ],
    }
    native = Messages().parse(asked).native
    assert native is not None
    assert native.dropped == (
        "top_k",
        "of_next_year",
        "tools.input_examples",
        "tools.strict",
        "tools.web_search_20250305",
        "messages.content.citations",
    )


def test_nothing_is_named_where_all_is_translated() -> None:
    native = Messages().parse({**ASKED, "tools": [WEATHER], "temperature": 1}).native
    assert native is not None
    assert native.dropped == ()


@pytest.mark.parametrize(
    ("choice", "fields"),
    [
        ({"type": "auto"}, {"tool_choice": "auto"}),
        ({"type": "any"}, {"tool_choice": "required"}),
        ({"type": "none"}, {"tool_choice": "none"}),
        (
            {"type": "tool", "name": "weather"},
            {"tool_choice": {"type": "function", "function": {"name": "weather"}}},
        ),
        ({"type": "tool", "name": "web_search"}, {}),
        (
            {"type": "auto", "disable_parallel_tool_use": True},
            {"tool_choice": "auto", "parallel_tool_calls": False},
        ),
        ({"type": "auto", "disable_parallel_tool_use": False}, {"tool_choice": "auto"}),
        (None, {}),
    ],
)
def test_which_tool_is_to_be_called(choice: Any, fields: Any) -> None:
    asked = chat(tools=[WEATHER], tool_choice=choice)
    names = {"tool_choice", "parallel_tool_calls"}
    assert {name: value for name, value in asked.items() if name in names} == fields


@pytest.mark.parametrize(
    ("fields", "effort"),
    [
        ({}, None),
        ({"thinking": {"type": "disabled"}}, None),
        ({"thinking": {"type": "enabled", "budget_tokens": 1024}}, "low"),
        ({"thinking": {"type": "enabled", "budget_tokens": 4000}}, "medium"),
        ({"thinking": {"type": "enabled", "budget_tokens": 16000}}, "high"),
        ({"thinking": {"type": "adaptive"}}, "medium"),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "max"}}, "high"),
        ({"output_config": {"effort": "low"}}, None),
    ],
)
def test_thinking_is_effort(fields: Any, effort: str | None) -> None:
    assert chat(**fields).get("reasoning_effort") == effort


def test_sampling_and_stops() -> None:
    asked = chat(temperature=0, top_p=0.9, stop_sequences=["END"], stream=False)
    assert asked["temperature"] == 0
    assert asked["top_p"] == 0.9
    assert asked["stop"] == ["END"]
    assert "stop" not in chat(stop_sequences=[])


def test_who_asks_is_told_in_as_many_letters_as_openai_takes() -> None:
    assert chat(metadata={"user_id": "me"})["user"] == "me"
    long = chat(metadata={"user_id": "user_" + "0f" * 70})["user"]
    assert len(long) <= 64
    assert long != chat(metadata={"user_id": "user_" + "0e" * 70})["user"]
    assert "user" not in chat(metadata={"user_id": None})


@pytest.mark.parametrize("beta", [False, True])
def test_an_answer_to_a_schema(beta: bool) -> None:
    wanted = {"type": "json_schema", "schema": SCHEMA}
    asked = chat(output_format=wanted) if beta else chat(output_config={"format": wanted})
    schema = {"name": "output", "schema": SCHEMA, "strict": True}
    assert asked["response_format"] == {"type": "json_schema", "json_schema": schema}


def test_a_schema_that_openai_cannot_hold_a_model_to_is_not_strict() -> None:
    loose = {"type": "object", "properties": {"inner": {**SCHEMA, "required": []}}}
    wanted = {"type": "json_schema", "schema": loose}
    asked = chat(output_config={"format": wanted}, tools=[{**WEATHER, "strict": True}])
    assert asked["response_format"]["json_schema"]["strict"] is False
    assert asked["tools"][0]["function"]["strict"] is True


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": None}, "model"),
        ({"model": 5}, "model"),
        ({"model": ""}, "model"),
        ({"max_tokens": None}, "max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": True}, "max_tokens"),
        ({"max_tokens": 1.5}, "max_tokens"),
        ({"max_tokens": 10**12}, "max_tokens"),
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": ["Hi"]}, "messages.0"),
        ({"messages": [{"content": "Hi"}]}, "messages.0.role"),
        ({"messages": [{"role": "tool", "content": "Hi"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages.0.content"),
        ({"messages": [{"role": "user", "content": ["Hi"]}]}, "messages.0.content.0"),
        ({"messages": [HELLO, {"role": "user", "content": [{}]}]}, "messages.1.content.0.type"),
        ({"system": 5}, "system"),
        ({"system": [{"type": "image", "source": PNG}]}, "system.0.type"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": True}, "top_p"),
        ({"top_k": 1.5}, "top_k"),
        ({"stream": "yes"}, "stream"),
        ({"stop_sequences": "END"}, "stop_sequences"),
        ({"stop_sequences": ["END", 5]}, "stop_sequences.1"),
        ({"metadata": []}, "metadata"),
        ({"metadata": {"user_id": 5}}, "metadata.user_id"),
        ({"thinking": True}, "thinking"),
        ({"thinking": {}}, "thinking.type"),
        ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
        ({"tools": {}}, "tools"),
        ({"tools": [5]}, "tools.0"),
        ({"tools": [{"name": "x"}]}, "tools.0.input_schema"),
        ({"tools": [{"input_schema": {}}]}, "tools.0.name"),
        ({"tools": [{**WEATHER, "description": 5}]}, "tools.0.description"),
        ({"tool_choice": "auto"}, "tool_choice"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name"),
        ({"output_config": {"format": "json"}}, "output_config.format"),
        ({"output_config": {"format": {"type": "json_schema"}}}, "output_config.format.schema"),
        ({"output_format": {"type": "json_schema"}}, "output_format.schema"),
    ],
)
def test_the_field_that_is_at_fault_is_named(fields: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        chat(**fields)
    assert caught.value.param == param
    assert f"'{param}'" in str(caught.value)


@pytest.mark.parametrize(
    ("block", "param"),
    [
        ({"type": "text"}, "text"),
        ({"type": "text", "text": 5}, "text"),
        ({"type": "image"}, "source"),
        ({"type": "image", "source": {"type": "base64"}}, "source.media_type"),
        ({"type": "image", "source": {"type": "text"}}, "source.type"),
        ({"type": "document", "source": {"type": "word"}}, "source.type"),
        ({"type": "document", "source": PNG, "title": 5}, "title"),
        ({"type": "search_result", "content": [{"type": "text"}]}, "content.0.text"),
        ({"type": "tool_result"}, "tool_use_id"),
        ({"type": "tool_result", "tool_use_id": "a", "content": 5}, "content"),
        ({"type": "tool_result", "tool_use_id": "a", "is_error": 5}, "is_error"),
        ({"type": "server_tool_use"}, "name"),
    ],
)
def test_what_a_block_lacks_is_named(block: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        turns(block)
    assert caught.value.param == f"messages.0.content.0.{param}"


@pytest.mark.parametrize(
    ("block", "param"),
    [
        ({"type": "tool_use", "name": "x", "input": {}}, "id"),
        ({"type": "tool_use", "id": "x", "input": {}}, "name"),
        ({"type": "tool_use", "id": "x", "name": "x", "input": "{}"}, "input"),
        ({"type": "thinking"}, "thinking"),
        ({"type": "thinking", "thinking": "", "signature": 5}, "signature"),
    ],
)
def test_what_an_answers_block_lacks_is_named(block: Any, param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        turns(block, role="assistant")
    assert caught.value.param == f"messages.0.content.0.{param}"


@pytest.mark.parametrize("body", [None, 5, "text", [], True])
def test_what_is_no_object_is_refused(body: Any) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Messages().parse(body)
    assert caught.value.param is None


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
TYPES = st.sampled_from(
    [
        *("text", "image", "document", "search_result", "tool_use", "tool_result", "thinking"),
        *("redacted_thinking", "server_tool_use", "web_search_tool_result", "base64", "url"),
        *("file", "content", "custom", "enabled", "adaptive", "tool", "auto", "json_schema"),
    ]
)
NAMES = st.sampled_from(
    [
        *("type", "text", "source", "content", "id", "name", "input", "tool_use_id", "is_error"),
        *("data", "media_type", "url", "file_id", "title", "context", "thinking", "signature"),
        *("budget_tokens", "effort", "format", "schema", "input_schema", "properties"),
        *("required", "additionalProperties", "user_id", "strict", "description"),
    ]
)
# What looks much like the real thing, and is wrong somewhere.
LIKELY = st.recursive(
    SCALARS | TYPES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(NAMES, inner, max_size=5)
        | st.builds(lambda kind, rest: {**rest, "type": kind}, TYPES, st.dictionaries(NAMES, inner))
    ),
    max_leaves=12,
)
FIELDS = [
    *("model", "max_tokens", "messages", "system", "tools", "tool_choice", "stop_sequences"),
    *("temperature", "top_p", "top_k", "metadata", "thinking", "stream", "output_config"),
    *("output_format",),
]
ROLES = st.sampled_from(["user", "assistant", "system"])
TURNS = st.lists(st.fixed_dictionaries({"role": ROLES, "content": LIKELY}), max_size=3)


def parses_or_is_refused(body: Any) -> None:
    try:
        parsed = Messages().parse(body)
    except InvalidRequest:
        return
    assert isinstance(parsed, ChatRequest)
    assert parsed.body["messages"]
    assert parsed.output_cap == body["max_tokens"]


@given(JSON)
def test_any_json_is_parsed_or_refused(body: Any) -> None:
    parses_or_is_refused(body)


@given(st.dictionaries(st.sampled_from(FIELDS), LIKELY))
def test_any_fields_are_parsed_or_refused(fields: dict[str, Any]) -> None:
    parses_or_is_refused({**ASKED, **fields})


@given(TURNS)
def test_any_turns_are_parsed_or_refused(messages: list[Any]) -> None:
    before = copy.deepcopy(messages)
    parses_or_is_refused({**ASKED, "messages": messages})
    assert repr(messages) == repr(before)


@pytest.mark.parametrize("kind", ["image", "document"])
def test_what_is_no_text_is_not_counted_by_its_bytes(kind: str) -> None:
    source = {**PNG, "data": "aGk=" * 100_000}
    content = [{"type": kind, "source": source}]
    parsed = Messages().parse({**ASKED, "messages": [{"role": "user", "content": content}]})
    assert 1_000 < parsed.input_bound < 50_000
