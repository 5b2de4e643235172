"""Chats' whole answers as responses, and responses as the next request's input."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types.responses import Response
from responses_asked import ANY_JSON, asked, messages

from langroute.application.calls.complete_chat import CompletedChat
from langroute.domain.dialects import Dialect
from langroute.domain.ids import RequestId
from langroute.domain.receipt import Receipt
from langroute.entrypoints.http.dialects.responses.front import Responses

HEAD = {"id": "chatcmpl-abc", "object": "chat.completion", "created": 1_780_000_000, "model": "m-1"}
USAGE = {
    "prompt_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 7},
    "completion_tokens": 9,
    "completion_tokens_details": {"reasoning_tokens": 4},
    "total_tokens": 21,
}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
OTHER = {"id": "call_2", "type": "function", "function": {"name": "g", "arguments": ""}}


def answered(message: dict[str, Any], finish_reason: str = "stop", **chosen: Any) -> dict[str, Any]:
    said = {"role": "assistant", "content": None, "refusal": None, **message}
    choice = {"index": 0, "message": said, "finish_reason": finish_reason, **chosen}
    return {**HEAD, "choices": [choice], "usage": USAGE}


def shown(body: dict[str, Any], dialect: Dialect | None = None, **fields: Any) -> dict[str, Any]:
    receipt = Receipt(request_id=RequestId(UUID(int=1)))
    completed = CompletedChat(body=body, receipt=receipt, dialect=dialect)
    return dict(Responses().reply(asked(**fields), completed))


def test_an_answer_is_a_message() -> None:
    response = shown(answered({"content": "Hello."}))
    text = {"type": "output_text", "text": "Hello.", "annotations": [], "logprobs": []}
    assert response["output"] == [
        {
            "id": "msg_abc_0",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [text],
        }
    ]
    assert (response["id"], response["object"], response["model"]) == (
        "resp_abc",
        "response",
        "m-1",
    )
    assert (response["status"], response["error"]) == ("completed", None)
    assert response["created_at"] == HEAD["created"]
    assert response["usage"] == {
        "input_tokens": 12,
        "input_tokens_details": {"cached_tokens": 7, "cache_write_tokens": 0},
        "output_tokens": 9,
        "output_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 21,
    }


def test_thoughts_and_calls_are_items_of_their_own() -> None:
    said = {"reasoning_content": "Hm.", "content": "Wait.", "tool_calls": [CALL, OTHER]}
    thought, message, *calls = shown(answered(said, "tool_calls"))["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "Hm."}]
    assert message["content"][0]["text"] == "Wait."
    assert [(call["call_id"], call["name"], call["arguments"]) for call in calls] == [
        ("call_1", "f", '{"a": 1}'),
        ("call_2", "g", ""),
    ]
    assert len({item["id"] for item in (thought, message, *calls)}) == 4


def test_a_refusal_is_a_part() -> None:
    (message,) = shown(answered({"refusal": "No."}))["output"]
    assert message["content"] == [{"type": "refusal", "refusal": "No."}]


def test_an_answer_that_was_cut_off_says_why() -> None:
    for reason, told in (("length", "max_output_tokens"), ("content_filter", "content_filter")):
        response = shown(answered({"content": "Hel"}, reason))
        assert response["status"] == "incomplete"
        assert response["incomplete_details"] == {"reason": told}
        assert response["output"][-1]["status"] == "incomplete"


def test_logprobs_and_citations_go_with_the_text() -> None:
    token = {"token": "Hi", "logprob": -0.1, "bytes": [72, 105], "top_logprobs": []}
    cited = {"start_index": 0, "end_index": 2, "url": "https://a.example", "title": "A"}
    note = {"type": "url_citation", "url_citation": cited}
    body = answered({"content": "Hi", "annotations": [note]}, logprobs={"content": [token]})
    (part,) = shown(body)["output"][0]["content"]
    assert part["logprobs"] == [token]
    assert part["annotations"] == [{"type": "url_citation", **cited}]


def test_it_repeats_what_was_asked_and_is_whole_to_the_client_library() -> None:
    tool = {"type": "function", "name": "f", "parameters": {"type": "object"}}
    fields: dict[str, Any] = {
        "instructions": "Be brief.",
        "temperature": 0.5,
        "max_output_tokens": 9,
        "top_p": 0.9,
        "metadata": {"a": "b"},
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }
    response = shown(
        answered({"content": "Hi", "reasoning_content": "Hm.", "tool_calls": [CALL]}),
        **fields,
        tools=[tool],
        reasoning={"effort": "low"},
    )
    assert {name: response[name] for name in fields} == fields
    assert response["reasoning"] == {"effort": "low", "summary": None}
    assert response["text"] == {"format": {"type": "text"}}
    (told,) = response["tools"]
    assert told == {**tool, "description": None, "strict": False}
    checked = Response.model_validate(response)
    assert checked.output_text == "Hi"
    Response.model_validate(shown(answered({"content": "Hi"})))


def test_an_answer_in_the_dialect_passes_as_it_is() -> None:
    body = {"id": "resp_1", "object": "response", "output": [], "of_tomorrow": True}
    assert shown(body, Dialect.RESPONSES) == body


NAMES = st.text("abcdefgh_", min_size=1, max_size=8)
CALLS = st.lists(
    st.builds(
        lambda name, arguments, number: {
            "id": f"call_{number}",
            "type": "function",
            "function": {"name": name, "arguments": arguments},
        },
        NAMES,
        st.text(max_size=8),
        st.integers(0, 99),
    ),
    max_size=3,
)


SIGNED = st.lists(
    st.fixed_dictionaries({"type": st.just("thinking"), "signature": st.text(max_size=4)}),
    max_size=2,
)


@given(text=st.text(max_size=8), thoughts=st.text(max_size=8), calls=CALLS, signed=SIGNED)
def test_what_was_said_survives_there_and_back(
    text: str, thoughts: str, calls: list[dict[str, Any]], signed: list[dict[str, Any]]
) -> None:
    """An answer as a response, which its caller sends back, is the message that it was."""
    said = {"content": text, "reasoning_content": thoughts, "tool_calls": calls}
    output = shown(answered({**said, "thinking_blocks": signed}))["output"]
    if not (text or calls):
        return  # a thought alone is no message
    (message,) = messages(*output)
    assert (message["content"] or "") == text
    assert message.get("reasoning_content", "") == thoughts
    assert message.get("tool_calls", []) == calls
    assert message.get("thinking_blocks", []) == signed


def test_signatures_stay_with_what_they_sign() -> None:
    extra = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    said = {"content": "Wait.", "tool_calls": [CALL | extra, OTHER], **extra}
    (message,) = messages(*shown(answered(said))["output"])
    assert message["tool_calls"] == [CALL | extra, OTHER]
    assert message["extra_content"] == extra["extra_content"]


@pytest.mark.parametrize(
    "wrapped", ["langroute:", "langroute:!", "langroute:e30=", "langroute:WzVd", "langroute:W10"]
)
def test_thoughts_that_somebody_changed_are_none(wrapped: str) -> None:
    thought = {"type": "reasoning", "summary": [], "encrypted_content": wrapped}
    said = {"role": "assistant", "content": "Hi"}
    assert messages(thought, said) == [said]


def test_a_provider_is_not_sent_what_only_another_can_read() -> None:
    extra = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    said = {"content": "Hi", "reasoning_content": "Hm.", "tool_calls": [CALL | extra]}
    output = shown(answered(said))["output"]
    own = {"type": "reasoning", "summary": [], "encrypted_content": "gAAA"}
    chat = asked(input=[own, *output])
    assert chat.native is not None
    call = {name: value for name, value in output[2].items() if name != "extra_content"}
    assert chat.native.body["input"] == [own, output[1], call]
    assert "extra_content" in output[2]
    (message,) = chat.body["messages"]
    assert message["reasoning_content"] == "Hm."
    assert message["tool_calls"] == [CALL | extra]


CHOICE = st.dictionaries(
    st.sampled_from(["index", "message", "finish_reason", "logprobs"]),
    ANY_JSON
    | st.dictionaries(
        st.sampled_from(["content", "refusal", "reasoning", "tool_calls", "annotations"]),
        ANY_JSON | st.lists(st.dictionaries(st.sampled_from(["function", "id", "text"]), ANY_JSON)),
    ),
)


@given(
    st.dictionaries(st.sampled_from(["id", "created", "model", "usage", "service_tier"]), ANY_JSON),
    st.lists(CHOICE, max_size=2) | ANY_JSON,
)
def test_whatever_an_upstream_says_makes_a_response(body: dict[str, Any], choices: Any) -> None:
    response = shown({**body, "choices": choices})
    assert response["output"]
    assert response["status"] in {"completed", "incomplete"}
