"""Callers that know OpenAI's `functions`, before codecs that only know tools."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.providers.mistral.codec import MistralCodec
from langroute.adapters.wire.codec import EncodedChat
from langroute.adapters.wire.functions import WithFunctions, with_function_call, with_tools
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.chat import ChatRequest
from upstreams.calls import call_to

WEATHER = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
HI = {"role": "user", "content": "Hi"}
CODEC = WithFunctions(MistralCodec())


def asked(**fields: Any) -> UpstreamCall[ChatRequest]:
    return call_to("https://acme.example/v1", **{"messages": [HI], **fields})


def sent(**fields: Any) -> EncodedChat:
    return CODEC.encode(asked(**fields), stream=False)


def call(index: int, name: str) -> dict[str, Any]:
    function = {"name": name, "arguments": "{}"}
    return {"index": index, "id": f"id{index}", "type": "function", "function": function}


def test_functions_are_sent_as_tools_of_which_one_is_called_at_a_time() -> None:
    body = sent(functions=[WEATHER], function_call={"name": "weather"}).body
    assert body["tools"] == [{"type": "function", "function": WEATHER}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert body["parallel_tool_calls"] is False
    assert not {"functions", "function_call"} & body.keys()


def test_a_call_and_its_answer_find_each_other() -> None:
    called = {"role": "assistant", "content": None, "function_call": call(0, "weather")["function"]}
    answered = {"role": "function", "name": "weather", "content": "Sunny"}
    messages = [HI, called, answered, called, {**answered, "content": "Rain"}]
    told = with_tools({"messages": messages, "functions": [WEATHER]})["messages"]
    ids = [message["tool_calls"][0]["id"] for message in told if "tool_calls" in message]
    assert len(set(ids)) == 2
    assert [m["tool_call_id"] for m in told if m["role"] == "tool"] == ids
    assert all("function_call" not in message for message in told)
    assert "function_call" in messages[1], "the next target needs it as it was"


def test_who_sends_functions_is_answered_by_a_function_call() -> None:
    choice = {"index": 0, "finish_reason": "tool_calls"}
    message = {"role": "assistant", "content": "", "tool_calls": [call(0, "f"), call(1, "g")]}
    reply = {"id": "1", "choices": [{**choice, "message": message}]}
    (answer,) = CODEC.reply(reply, sent(functions=[WEATHER]))["choices"]
    assert answer["message"]["function_call"] == {"name": "f", "arguments": "{}"}
    assert "tool_calls" not in answer["message"]
    assert answer["finish_reason"] == "function_call"


def test_and_is_streamed_one() -> None:
    decode = CODEC.decoder(sent(functions=[WEATHER]))
    deltas = []
    for index, name in enumerate("fg"):
        choice = {"index": 0, "delta": {"tool_calls": [call(index, name)]}, "finish_reason": None}
        (chunk,) = list(decode({"choices": [choice]}, b"") or [])
        deltas.append(chunk["choices"][0]["delta"])
    assert deltas == [{"function_call": {"name": "f", "arguments": "{}"}}, {}], (
        "there is room for one"
    )


def test_who_knows_tools_is_answered_in_tools() -> None:
    tools = [{"type": "function", "function": WEATHER}]
    assert not sent(tools=tools).calls_functions
    assert not sent(tools=tools, functions=[WEATHER]).calls_functions
    assert sent(tools=tools, functions=[WEATHER]).body["tools"] == tools * 2


def test_a_signature_stays_with_its_call_there_and_back() -> None:
    signed = {"google": {"thought_signature": "c2ln"}}
    called = {"name": "f", "arguments": "{}", "extra_content": signed}
    messages = [HI, {"role": "assistant", "content": None, "function_call": called}]
    (made,) = with_tools({"messages": messages})["messages"][1]["tool_calls"]
    assert made["extra_content"] == signed
    assert "extra_content" not in made["function"]
    chunk = {"choices": [{"delta": {"tool_calls": [made]}, "finish_reason": None}]}
    assert with_function_call(chunk)["choices"][0]["delta"] == {"function_call": called}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
ROLES = st.sampled_from(["user", "assistant", "function", "tool"])
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": ROLES, "content": st.text()},
        optional={"function_call": JSON, "tool_calls": JSON, "name": JSON},
    ),
    min_size=1,
    max_size=4,
)


@given(MESSAGES, JSON, JSON, JSON)
def test_whatever_is_called_a_function_raises_nothing(
    messages: list[dict[str, Any]], functions: Any, choice: Any, tools: Any
) -> None:
    body = {"messages": messages, "functions": functions, "function_call": choice, "tools": tools}
    told = with_tools(body)
    assert len(told["messages"]) == len(messages)
    assert not any(message["role"] == "function" for message in told["messages"])
