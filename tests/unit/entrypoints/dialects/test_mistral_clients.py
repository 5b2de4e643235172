from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.chat import ChatRequest
from langroute.domain.errors import InvalidRequest
from langroute.entrypoints.http.dialects.mistral_clients import HeldCalls, MistralChats


def chunk(delta: dict[str, Any], reason: str | None = None, choice: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": choice, "delta": delta, "finish_reason": reason}]}


def call(index: int, arguments: str, **more: Any) -> dict[str, Any]:
    name = {"name": more.pop("name")} if "name" in more else {}
    return {"index": index, "function": {**name, "arguments": arguments}, **more}


def told(*chunks: dict[str, Any]) -> list[dict[str, Any]]:
    held, before = HeldCalls(), deepcopy(chunks)
    answered = [held.told(one) for one in chunks]
    assert list(chunks) == list(before), "what was given is somebody else's"
    return [one["choices"][0]["delta"] for one in answered if one["choices"]]


def test_a_call_comes_whole_with_the_end_of_its_choice() -> None:
    weather = {"name": "weather", "arguments": '{"city": "Paris"}'}
    assert told(
        chunk({"role": "assistant", "content": ""}),
        chunk({"tool_calls": [call(0, "", id="a", type="function", name="weather")]}),
        chunk({"tool_calls": [call(0, '{"city":')]}),
        chunk({"tool_calls": [call(0, ' "Paris"}')]}),
        chunk({}, "tool_calls"),
    ) == [
        {"role": "assistant", "content": ""},
        *({}, {}, {}),
        {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": weather}]},
    ]


def test_calls_that_are_told_in_turns_and_with_the_end_are_kept_apart() -> None:
    *_, last = told(
        chunk({"tool_calls": [call(0, "{", id="a", name="one"), call(1, "[", id="b", name="two")]}),
        chunk({"tool_calls": [call(1, "]"), call(0, "}")]}, "tool_calls"),
    )
    assert [(made["id"], made["function"]) for made in last["tool_calls"]] == [
        ("a", {"name": "one", "arguments": "{}"}),
        ("b", {"name": "two", "arguments": "[]"}),
    ]


def test_choices_have_calls_of_their_own() -> None:
    held = HeldCalls()
    for choice in (0, 1):
        piece = call(0, f'"{choice}"', id=f"c{choice}", name="weather")
        held.told(chunk({"tool_calls": [piece]}, choice=choice))
    for choice in (1, 0):
        ended = held.told(chunk({}, "tool_calls", choice))["choices"][0]["delta"]
        assert [made["id"] for made in ended["tool_calls"]] == [f"c{choice}"]


def test_text_and_usage_pass_as_they_came() -> None:
    said = chunk({"content": "Hm"}, "stop")
    assert HeldCalls().told(said) == said
    usage = {"choices": [], "usage": {"total_tokens": 1}}
    assert HeldCalls().told(usage) == usage


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(st.lists(st.lists(JSON, max_size=2), max_size=4), JSON, JSON)
def test_nothing_in_a_call_is_trusted(pieces: list[list[Any]], function: Any, name: Any) -> None:
    held = HeldCalls()
    for extra in pieces:
        calls = [{"index": 0, "function": function}, {"index": 1, "function": {"name": name}}]
        held.told(chunk({"tool_calls": calls, "extra": extra}))
        held.told(chunk({"tool_calls": [{"index": 0, "function": {"arguments": "x"}}]}))
    held.told(chunk({}, "stop"))


def test_usage_is_told_without_asking() -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
    chat = MistralChats().parse(asked)
    assert chat.include_usage
    assert chat.body == ChatRequest.parse(asked).body
    with pytest.raises(InvalidRequest):
        MistralChats().parse({})


def test_a_seed_is_told_by_openais_name() -> None:
    asked = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "random_seed": 7}
    body = MistralChats().parse(asked).body
    assert body["seed"] == 7
    assert "random_seed" not in body
    assert asked["random_seed"] == 7
