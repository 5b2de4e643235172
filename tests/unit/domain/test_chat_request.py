from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect, Native
from langroute.domain.errors import InvalidRequest

HELLO: dict[str, Any] = {"role": "user", "content": "hello"}
VALID: dict[str, Any] = {"model": "gpt-4o", "messages": [HELLO]}
# Everything that parsing looks at, and one field that it does not.
FIELDS = (
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "n",
    "temperature",
    "top_p",
    "frequency_penalty",
    "presence_penalty",
    "seed",
    "stop",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "response_format",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "user",
    "metadata",
    "something_new",
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=5)
    | st.sampled_from(["user", "text", "role", "content"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "include_usage"])
            | st.text(max_size=3),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)


def body(**fields: Any) -> dict[str, Any]:
    return {**VALID, **fields}


def without(name: str) -> dict[str, Any]:
    return {field: value for field, value in VALID.items() if field != name}


WRONG: list[tuple[object, str | None]] = [
    (None, None),
    ([], None),
    ("text", None),
    (7, None),
    ({}, "model"),
    (without("model"), "model"),
    (body(model=None), "model"),
    (body(model=""), "model"),
    (body(model=3), "model"),
    (without("messages"), "messages"),
    (body(messages=None), "messages"),
    (body(messages=[]), "messages"),
    (body(messages={"role": "user"}), "messages"),
    (body(messages=["hello"]), "messages.0"),
    (body(messages=[HELLO, None]), "messages.1"),
    (body(messages=[HELLO, {"content": "hello"}]), "messages.1.role"),
    (body(messages=[{"role": "", "content": "hello"}]), "messages.0.role"),
    (body(messages=[{"role": 1, "content": "hello"}]), "messages.0.role"),
    (body(messages=[{"role": "user", "content": 5}]), "messages.0.content"),
    (body(messages=[{"role": "user", "content": {"type": "text"}}]), "messages.0.content"),
    (body(messages=[{"role": "user", "content": ["hello"]}]), "messages.0.content.0"),
    (body(messages=[{"role": "user", "content": [{}, None]}]), "messages.0.content.1"),
    (body(stream="true"), "stream"),
    (body(stream=1), "stream"),
    (body(stream=True, stream_options=[]), "stream_options"),
    (body(stream=True, stream_options={"include_usage": 1}), "stream_options.include_usage"),
    (body(stream_options={"include_usage": True}), "stream_options"),
    (body(stream=False, stream_options={"include_usage": True}), "stream_options"),
    (body(max_tokens="5"), "max_tokens"),
    (body(max_tokens=5.0), "max_tokens"),
    (body(max_tokens=0), "max_tokens"),
    (body(max_tokens=-1), "max_tokens"),
    (body(max_completion_tokens=0), "max_completion_tokens"),
    (body(max_completion_tokens=[5]), "max_completion_tokens"),
    (body(max_tokens=5, max_completion_tokens=0), "max_completion_tokens"),
    (body(n=0), "n"),
    (body(n=-1), "n"),
    (body(n=129), "n"),
    (body(n=2.0), "n"),
    (body(temperature="hot"), "temperature"),
    (body(top_p={}), "top_p"),
    (body(seed=1.5), "seed"),
    (body(stop=5), "stop"),
    (body(tools={}), "tools"),
    (body(tool_choice=1), "tool_choice"),
    (body(parallel_tool_calls="no"), "parallel_tool_calls"),
    (body(response_format="json"), "response_format"),
    (body(logit_bias=[]), "logit_bias"),
    (body(logprobs=1), "logprobs"),
    (body(top_logprobs="2"), "top_logprobs"),
    (body(user=5), "user"),
    (body(metadata="x"), "metadata"),
]


@pytest.mark.parametrize(("wrong", "param"), WRONG)
def test_names_the_field_that_is_wrong(wrong: object, param: str | None) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ChatRequest.parse(wrong)
    assert refused.value.param == param
    assert param is None or param in str(refused.value)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "max_completion_tokens",
        "n",
        "temperature",
        "top_p",
        "frequency_penalty",
        "presence_penalty",
        "seed",
        "top_logprobs",
    ],
)
@pytest.mark.parametrize("flag", [True, False])
def test_true_and_false_are_not_numbers(name: str, flag: bool) -> None:
    with pytest.raises(InvalidRequest) as refused:
        ChatRequest.parse(body(**{name: flag}))
    assert refused.value.param == name


def parsed(given_body: object) -> ChatRequest | InvalidRequest:
    """Raises whatever else comes of it."""
    try:
        return ChatRequest.parse(given_body)
    except InvalidRequest as error:
        return error


@given(JSON)
def test_any_json_at_all_is_parsed_or_refused(given_body: object) -> None:
    chat = parsed(given_body)
    assert isinstance(chat, InvalidRequest) or chat.body == given_body


@given(st.dictionaries(st.sampled_from(FIELDS), JSON, min_size=1, max_size=4))
def test_any_json_in_any_field_is_parsed_or_refused(fields: dict[str, Any]) -> None:
    chat = parsed(body(**fields))
    if isinstance(chat, InvalidRequest):
        assert chat.param is not None
        assert chat.param.split(".")[0] in fields
    else:
        assert chat.body == body(**fields)
        assert 1 <= chat.choices <= 128
        assert chat.output_cap is None or chat.output_cap >= 1


@given(st.lists(st.dictionaries(st.sampled_from(["role", "content", "name"]), JSON), max_size=3))
def test_any_json_in_the_messages_is_parsed_or_refused(messages: list[Any]) -> None:
    chat = parsed(body(messages=messages))
    if isinstance(chat, InvalidRequest):
        assert chat.param is not None
        assert chat.param.startswith("messages")
    else:
        assert all(isinstance(message["role"], str) for message in messages)


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in {"model", "messages"}])
def test_a_field_of_null_is_as_good_as_none(name: str) -> None:
    chat = ChatRequest.parse(body(**{name: None}))
    assert (chat.stream, chat.output_cap, chat.choices) == (False, None, 1)


@pytest.mark.parametrize(
    ("caps", "cap"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_completion_tokens": 7}, 7),
        ({"max_tokens": 5, "max_completion_tokens": 7}, 5),
        ({"max_tokens": 9, "max_completion_tokens": 7}, 7),
        ({"max_tokens": None, "max_completion_tokens": 7}, 7),
    ],
)
def test_the_two_names_of_the_output_cap_are_one_cap(caps: dict[str, Any], cap: int | None) -> None:
    assert ChatRequest.parse(body(**caps)).output_cap == cap


def test_picks_out_what_the_gateway_decides_on_and_leaves_the_rest_alone() -> None:
    whole = body(
        stream=True,
        stream_options={"include_usage": True, "new": 1},
        n=3,
        something_new={"a": [1]},
        messages=[
            {"role": "developer", "content": [{"type": "text", "text": "hi"}]},
            {"role": "assistant", "content": None, "tool_calls": []},
            {"role": "tool", "tool_call_id": "1"},
        ],
    )
    chat = ChatRequest.parse(whole)
    assert chat.body is whole
    assert (chat.model, chat.stream, chat.include_usage, chat.choices) == ("gpt-4o", True, True, 3)


def test_usage_is_not_shown_unless_it_was_asked_for() -> None:
    assert not ChatRequest.parse(body(stream=True)).include_usage
    assert not ChatRequest.parse(body(stream=True, stream_options={})).include_usage
    assert not ChatRequest.parse(
        body(stream=True, stream_options={"include_usage": False})
    ).include_usage


@pytest.mark.parametrize("name", ["n", "best_of", "n_cmpl"])
def test_as_many_choices_are_held_back_for_as_any_of_its_names_asks_for(name: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 10}
    assert ChatRequest.parse(body | {name: 4}).choices == 4
    native = Native(dialect=Dialect.RESPONSES, body={"input": "Hi", name: 4})
    assert ChatRequest.parse(body, native).output_bound("m") == 40
    for wrong in (0, 129, True, "4"):
        with pytest.raises(InvalidRequest) as caught:
            ChatRequest.parse(body | {name: wrong})
        assert caught.value.param == name


def test_an_answer_that_would_come_later_is_refused() -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    assert ChatRequest.parse(body | {"deferred": False}).model == "m"
    with pytest.raises(InvalidRequest) as caught:
        ChatRequest.parse(body | {"deferred": True})
    assert caught.value.param == "deferred"
