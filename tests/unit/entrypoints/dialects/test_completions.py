from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.application.calls.complete_chat import CompletedChat
from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect
from langroute.domain.errors import InvalidRequest
from langroute.domain.ids import RequestId
from langroute.domain.receipt import Receipt
from langroute.entrypoints.http.dialects.completions import Completions

FRONT = Completions()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


def parsed(**fields: Any) -> ChatRequest:
    return FRONT.parse({"model": "davinci", "prompt": "Once", **fields})


def completed(body: dict[str, Any], dialect: Dialect | None = None) -> CompletedChat:
    receipt = Receipt(request_id=RequestId(_ID))
    return CompletedChat(body=body, receipt=receipt, dialect=dialect)


_ID = UUID(int=1)


def test_the_prompt_is_what_the_user_says_and_the_callers_own_words_are_kept() -> None:
    chat = parsed(max_tokens=5, temperature=0.5, best_of=2, suffix="!")
    assert chat.body == {
        "model": "davinci",
        "messages": [{"role": "user", "content": "Once"}],
        "max_tokens": 5,
        "temperature": 0.5,
    }
    assert chat.native is not None
    assert chat.native.dialect is Dialect.COMPLETIONS
    assert chat.native.body["best_of"] == 2
    assert chat.output_cap == 5
    assert chat.native.dropped == ("best_of", "suffix")


def test_all_that_is_written_counts_however_little_of_it_is_shown() -> None:
    assert parsed(best_of=20).choices == 20
    assert parsed(best_of=20, n=30).choices == 30
    assert parsed(best_of=None).choices == 1


def test_what_says_nothing_is_not_told_as_lost() -> None:
    native = parsed(best_of=1, echo=False, suffix="", logprobs=None).native
    assert native is not None
    assert native.dropped == ()


def test_a_completion_without_a_cap_is_sixteen_tokens_long() -> None:
    assert parsed().output_cap == 16


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": None}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"model": 5}, "model"),
        ({"best_of": True}, "best_of"),
        ({"best_of": [2]}, "best_of"),
        ({"best_of": 0}, "best_of"),
        ({"best_of": 129}, "best_of"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_the_field_that_is_at_fault_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parsed(**fields)
    assert caught.value.param == param


@given(
    JSON
    | st.fixed_dictionaries({"model": JSON, "prompt": JSON, "max_tokens": JSON, "best_of": JSON})
)
def test_any_json_is_a_chat_or_a_fault_that_is_named(body: Any) -> None:
    try:
        chat = FRONT.parse(body)
    except InvalidRequest:
        return
    assert chat.model == body["model"]


def test_a_chat_comes_back_as_a_text() -> None:
    message = {"role": "assistant", "content": "upon a time", "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "length"}
    usage = {"prompt_tokens": 1, "completion_tokens": 3, "total_tokens": 4}
    chat = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
    shown = FRONT.reply(parsed(), completed({**chat, "choices": [choice], "usage": usage}))
    assert shown == {
        "id": "x",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [
            {"index": 0, "text": "upon a time", "logprobs": None, "finish_reason": "length"}
        ],
        "usage": usage,
    }


def test_a_text_completion_comes_back_as_it_came() -> None:
    body = {"object": "text_completion", "choices": [{"text": "!", "own": 1}]}
    assert FRONT.reply(parsed(), completed(body, Dialect.COMPLETIONS)) is body
