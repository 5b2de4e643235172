"""What holds for any JSON, whichever of OpenAI's kind sent it, or is sent it."""

import copy
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langroute.adapters.providers.openai import CODECS
from langroute.adapters.wire.codec import Complaint, EncodedChat
from langroute.adapters.wire.malformed import Malformed
from langroute.application.ports.upstream import UpstreamCall
from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect, Native
from langroute.domain.errors import InvalidRequest
from langroute.domain.providers import Provider, ProviderKind
from langroute.domain.timeouts import Timeouts

KINDS = st.sampled_from(sorted(CODECS))
FEWER = settings(max_examples=50)
SENT = EncodedChat(path="/chat/completions", body={})
NAMES = st.sampled_from(
    [
        *("choices", "message", "delta", "content", "reasoning", "reasoning_content", "role"),
        *("id", "model", "created", "usage", "prompt_tokens", "completion_tokens", "total_tokens"),
        *("prompt_tokens_details", "completion_tokens_details", "reasoning_tokens", "index"),
        *("prompt_cache_hit_tokens", "cached_tokens", "prompt_filter_results", "finish_reason"),
        *("error", "metadata", "raw", "detail", "loc", "msg", "code", "type", "param", "status"),
    ]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-5, 600)
    | st.floats(allow_nan=False)
    | st.sampled_from(['{"error": {"message": 5}}', "{", "", "rate_limit_exceeded", "Hi"])
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=6),
    max_leaves=15,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=6)
ANSWERS = OBJECTS | st.fixed_dictionaries(
    {
        "choices": st.lists(
            st.fixed_dictionaries({"message": OBJECTS, "delta": OBJECTS}), min_size=1, max_size=2
        ),
        "usage": OBJECTS,
    }
)
WISHES = st.dictionaries(
    st.sampled_from(
        [
            *("frequency_penalty", "presence_penalty", "logit_bias", "logprobs", "top_logprobs"),
            *("n", "tool_choice", "user", "max_tokens", "max_completion_tokens", "new_field"),
            *("stream_options", "stream", "metadata", "parallel_tool_calls"),
        ]
    ),
    st.none()
    | st.booleans()
    | st.integers(1, 5)
    | st.sampled_from(["auto", "none"])
    | st.dictionaries(st.sampled_from(["include_usage", "5"]), st.booleans(), max_size=2),
    max_size=6,
)
CONVERSATION = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["developer", "system", "user", "assistant", "tool", "?"])},
        optional={
            "content": st.none() | st.text(max_size=3),
            "name": JSON,
            "reasoning": JSON,
            "reasoning_content": JSON,
        },
    ),
    min_size=1,
    max_size=3,
)


@given(kind=KINDS, body=OBJECTS)
def test_a_complaint_is_made_of_texts_whatever_came(kind: str, body: dict[str, Any]) -> None:
    told = CODECS[kind].complaint(body)
    assert isinstance(told, Complaint)
    assert all(isinstance(part, str | None) for part in (told.message, told.param, told.code))
    assert told.status is None or 400 <= told.status < 600


@FEWER
@given(kind=KINDS, body=ANSWERS)
def test_an_answer_is_well_formed_or_malformed(kind: str, body: dict[str, Any]) -> None:
    try:
        reply = CODECS[kind].reply(copy.deepcopy(body), SENT)
    except Malformed:
        return
    assert all(isinstance(choice["message"], dict) for choice in reply["choices"])


@FEWER
@given(kind=KINDS, events=st.lists(ANSWERS, max_size=4))
def test_chunks_are_well_formed_or_malformed(kind: str, events: list[dict[str, Any]]) -> None:
    decode = CODECS[kind].decoder(SENT)
    for event in copy.deepcopy(events):
        try:
            chunks = decode(event, b"")
        except Malformed:
            return
        assert chunks is not None
        assert all(isinstance(chunk["choices"], list) for chunk in chunks)


@given(
    kind=KINDS,
    wishes=WISHES,
    messages=CONVERSATION,
    cap=st.none() | st.integers(1, 9),
    stream=st.booleans(),
)
def test_nothing_is_lost_in_silence_and_what_was_given_stays(
    kind: str,
    wishes: dict[str, Any],
    messages: list[dict[str, Any]],
    cap: int | None,
    stream: bool,
) -> None:
    body = {"model": "asked", "messages": messages, **wishes}
    try:
        request = ChatRequest.parse(body)
    except InvalidRequest:
        return
    before = orjson.dumps(body)
    call = UpstreamCall(
        provider=Provider(name="a", kind=ProviderKind(kind), base_url="https://a.example/v1"),
        credential=None,
        model="m",
        request=request,
        output_cap=cap,
        timeouts=Timeouts(),
    )
    sent = CODECS[kind].encode(call, stream=stream)
    assert orjson.dumps(body) == before, "the next target needs it as it was"
    assert orjson.dumps(sent.body)
    assert len(set(sent.dropped)) == len(sent.dropped)
    named = {"max_tokens", "max_completion_tokens", "stream", "stream_options"}
    defaults: tuple[Any, ...] = (None, 0, 1, {}, "auto")
    for name, value in wishes.items():
        if name in named or value in defaults:
            continue
        assert (name in sent.dropped) is (name not in sent.body), name
    assert len(sent.body["messages"]) == len(messages)
    if cap is not None:
        caps = [sent.body.get(name) for name in ("max_tokens", "max_completion_tokens")]
        assert min(one for one in caps if one is not None) <= cap


@pytest.mark.parametrize("native", [None, Native(dialect=Dialect.COMPLETIONS, body={})])
@pytest.mark.parametrize(("asked", "sent"), [(-1, 7), (100, 7), ("9", 7), (5, 5), (None, None)])
def test_no_other_name_goes_past_the_cap(native: Native | None, asked: Any, sent: Any) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "n_predict": asked}
    if native is not None:
        native = Native(dialect=native.dialect, body=body)
    call = UpstreamCall(
        provider=Provider(name="acme", kind=ProviderKind("llamacpp"), base_url="http://x/v1"),
        credential=None,
        model="m",
        request=ChatRequest.parse(body, native),
        output_cap=7,
        timeouts=Timeouts(),
    )
    encoded = CODECS["llamacpp"].encode(call, stream=False)
    assert (encoded.body["n_predict"], encoded.body["max_tokens"]) == (sent, 7)


@pytest.mark.parametrize(
    ("cap", "budget", "dropped"), [(4_000, 3_000, ("thinking.budget_tokens",)), (9_000, 8_000, ())]
)
def test_a_message_s_thoughts_keep_within_a_lowered_cap_wherever_it_goes(
    cap: int, budget: int, dropped: tuple[str, ...]
) -> None:
    thinking = {"type": "enabled", "budget_tokens": 8_000}
    chat = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9_000}
    native = Native(dialect=Dialect.MESSAGES, body={**chat, "thinking": thinking})
    call = UpstreamCall(
        provider=Provider(name="acme", kind=ProviderKind("vllm"), base_url="http://x/v1"),
        credential=None,
        model="m",
        request=ChatRequest.parse(chat, native),
        output_cap=cap,
        timeouts=Timeouts(),
    )
    encoded = CODECS["vllm"].encode(call, stream=False)
    assert (encoded.body["max_tokens"], encoded.dropped) == (cap, dropped)
    assert encoded.body["thinking"] == {**thinking, "budget_tokens": budget}
    assert thinking["budget_tokens"] == 8_000


@pytest.mark.parametrize("own", [{}, {"max_completion_tokens": 9}, {"max_tokens": 9}])
def test_the_cap_beside_a_prediction_has_the_name_that_is_taken(own: dict[str, int]) -> None:
    prediction = {"type": "content", "content": "Hi"}
    body = {"model": "m", "messages": [{"role": "user", "content": "Hi"}], **own}
    for told, name in (({}, "max_completion_tokens"), ({"prediction": prediction}, "max_tokens")):
        call = UpstreamCall(
            provider=Provider(
                name="openai", kind=ProviderKind("openai"), base_url="https://api.openai.com/v1"
            ),
            credential=None,
            model="gpt-4.1",
            request=ChatRequest.parse({**body, **told}),
            output_cap=7,
            timeouts=Timeouts(),
        )
        sent = CODECS["openai"].encode(call, stream=False).body
        assert {known: sent[known] for known in sent if known.startswith("max_")} == {name: 7}


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens", "n_predict"])
def test_no_chat_s_name_goes_past_the_cap_in_another_dialect(name: str) -> None:
    chat = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    native = Native(dialect=Dialect.RESPONSES, body={"model": "m", "input": "Hi", name: 100})
    call = UpstreamCall(
        provider=Provider(name="acme", kind=ProviderKind("llamacpp"), base_url="http://x/v1"),
        credential=None,
        model="m",
        request=ChatRequest.parse(chat, native),
        output_cap=7,
        timeouts=Timeouts(),
    )
    encoded = CODECS["llamacpp"].encode(call, stream=False)
    assert (encoded.body[name], encoded.body["max_output_tokens"]) == (7, 7)
