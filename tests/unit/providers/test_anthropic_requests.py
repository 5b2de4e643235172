from copy import deepcopy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.providers.anthropic.codec import AnthropicCodec
from langroute.adapters.providers.anthropic.models import Thinking, traits
from langroute.adapters.wire.functions import WithFunctions
from langroute.domain.chat import ChatRequest
from langroute.domain.dialects import Dialect, Native
from upstreams.anthropic_rules import fault
from upstreams.calls import call_to

ADDRESS = "https://acme.example/v1"
CODEC = WithFunctions(AnthropicCodec())
MODELS = st.sampled_from(
    [
        *("claude-3-5-haiku-latest", "claude-opus-4-1", "claude-sonnet-4-5", "claude-opus-4-6"),
        *("claude-opus-4-8", "claude-sonnet-5", "claude-sonnet-5-5", "claude-opus-5-5", "other"),
    ]
)
TEXTS = st.sampled_from(["", " ", "a", "b c", "\n"])
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBOR"}}
FILE = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE"}}
PARTS = st.lists(
    st.one_of(
        TEXTS.map(lambda text: {"type": "text", "text": text}),
        st.sampled_from([IMAGE, FILE]),
    ),
    max_size=3,
)
THOUGHTS = st.sampled_from(
    [
        None,
        [{"type": "thinking", "thinking": "Hm.", "signature": "s"}],
        [{"type": "redacted_thinking", "data": "d"}],
        [{"type": "thinking", "thinking": "Another's."}],
    ]
)


def tool_turn(ids: list[str], text: str, thoughts: Any, arguments: str) -> list[dict[str, Any]]:
    """An assistant's calls, each answered."""
    calls = [
        {"id": i, "type": "function", "function": {"name": "f", "arguments": arguments}}
        for i in ids
    ]
    answers = [{"role": "tool", "tool_call_id": i, "content": text} for i in ids]
    said = {"role": "assistant", "content": text, "tool_calls": calls, "thinking_blocks": thoughts}
    return [said, *answers]


def function_turn(text: str) -> list[dict[str, Any]]:
    return [
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": text},
    ]


TURNS = st.one_of(
    st.builds(lambda content: [{"role": "user", "content": content}], st.one_of(TEXTS, PARTS)),
    st.builds(
        lambda text, thoughts: [
            {"role": "assistant", "content": text, "thinking_blocks": thoughts}
        ],
        TEXTS,
        THOUGHTS,
    ),
    st.builds(lambda text: [{"role": "system", "content": text}], TEXTS),
    st.builds(lambda text: [{"role": "developer", "content": text}], TEXTS),
    st.builds(
        tool_turn,
        st.lists(st.text(min_size=1), min_size=1, max_size=3, unique=True),
        TEXTS,
        THOUGHTS,
        st.sampled_from(["", "{}", '{"a": [1]}', "[1]", "no JSON"]),
    ),
    st.builds(function_turn, TEXTS),
)
CONVERSATIONS = st.lists(TURNS, max_size=6).map(
    lambda turns: [*(m for turn in turns for m in turn), {"role": "user", "content": "So?"}]
)
TOOL = {"type": "function", "function": {"name": "f", "strict": True}}
WISHES = st.fixed_dictionaries(
    {},
    optional={
        "temperature": st.sampled_from([0, 0.5, 1, 1.7, 2]),
        "top_p": st.sampled_from([0, 0.5, 0.97, 1]),
        "max_tokens": st.sampled_from([1, 1_500, 50_000]),
        "reasoning_effort": st.sampled_from(["none", "minimal", "low", "high", "xhigh", "odd"]),
        "tools": st.just([TOOL]),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "f"}}]
        ),
        "parallel_tool_calls": st.booleans(),
        "stop": st.sampled_from(["x", " ", ["x", ""], []]),
        "seed": st.just(1),
        "n": st.sampled_from([1, 2]),
        "user": st.just("u"),
        "metadata": st.sampled_from([{}, {"user_id": "u"}, {"team": "t"}]),
        "service_tier": st.sampled_from(["auto", "flex"]),
        "response_format": st.sampled_from(
            [
                {"type": "text"},
                {"type": "json_object"},
                {"type": "json_schema", "json_schema": {"name": "n", "schema": {}}},
            ]
        ),
    },
)


def encoded(model: str, **body: Any) -> Any:
    return CODEC.encode(replace(call_to(ADDRESS, **body), model=model), stream=False)


@given(MODELS, CONVERSATIONS, WISHES)
def test_whatever_openai_takes_becomes_what_anthropic_takes(
    model: str, messages: list[dict[str, Any]], wishes: dict[str, Any]
) -> None:
    body = {"messages": messages, **wishes}
    before = deepcopy(body)
    sent = encoded(model, **body)
    assert fault(sent.body) is None
    assert body == before, "the next target needs it as it was"


@given(MODELS, CONVERSATIONS)
def test_no_words_are_lost_on_the_way(model: str, messages: list[dict[str, Any]]) -> None:
    body = encoded(model, messages=messages).body
    blocks = [*body.get("system", []), *(b for m in body["messages"] for b in m["content"])]
    said = [block.get("text") or block.get("content") or "" for block in blocks]
    texts = []
    for message in messages:
        content = message["content"]
        texts += [content] if isinstance(content, str) else [p.get("text") for p in content or ()]
    told = sorted(text for text in texts if text and text.strip())
    assert sorted(text for text in said if text and text != "Begin.") == told


JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False), st.text()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    *("type", "text", "image_url", "url", "file", "file_data", "filename", "id"),
                    *("function", "name", "arguments", "parameters", "custom", "schema", "mode"),
                    *("thinking", "signature", "data", "json_schema", "allowed_tools", "tools"),
                    *("budget_tokens", "user_id", "properties", "items", "anyOf", "format"),
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=15,
)
OBJECTS = JUNK.filter(lambda value: isinstance(value, dict))
KINDS = st.sampled_from(["text", "image_url", "file", "refusal", "thinking", "tool_result", "x"])
JUNK_PARTS = st.lists(
    st.builds(lambda part, kind: {**part, "type": kind}, OBJECTS, st.one_of(KINDS, JUNK)),
    max_size=3,
)
JUNK_MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(
                ["user", "assistant", "tool", "function", "system", "developer", "odd"]
            ),
            "content": st.one_of(st.none(), st.text(), JUNK_PARTS),
        },
        optional=dict.fromkeys(
            [
                *("tool_calls", "function_call", "tool_call_id", "thinking_blocks", "refusal"),
                *("reasoning_content", "cache_control", "is_error", "name"),
            ],
            JUNK,
        ),
    ),
    min_size=1,
    max_size=4,
)
JUNK_WISHES = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            [
                *("reasoning_effort", "thinking", "functions", "function_call", "top_k"),
                *("output_config", "service_tier", "safety_identifier", "verbosity", "odd"),
            ],
            JUNK,
        ),
        "tools": st.lists(JUNK, max_size=3),
        "tool_choice": st.one_of(st.text(), OBJECTS),
        "response_format": OBJECTS,
        "metadata": OBJECTS,
        "stop": st.lists(JUNK, max_size=3),
        "parallel_tool_calls": st.booleans(),
    },
)


@given(MODELS, JUNK_MESSAGES, JUNK_WISHES)
def test_nothing_that_a_caller_writes_is_too_strange_to_be_sent(
    model: str, messages: list[dict[str, Any]], wishes: dict[str, Any]
) -> None:
    body = {"messages": messages, **wishes}
    before = deepcopy(body)
    sent = encoded(model, **body)
    assert sent.body["max_tokens"] >= 1
    assert body == before


@pytest.mark.parametrize(
    ("model", "thinking", "off", "samples", "forces_tools"),
    [
        ("claude-3-haiku-20240307", "never", {}, True, True),
        ("claude-3-5-sonnet-20241022", "never", {}, True, True),
        ("claude-3-7-sonnet-latest", "budget", {}, True, True),
        ("claude-opus-4-20250514", "budget", {}, True, True),
        ("claude-sonnet-4-5-20250929", "budget", {}, True, True),
        ("claude-haiku-4-5", "budget", {}, True, True),
        ("claude-sonnet-4-6", "adaptive", {}, True, True),
        ("claude-opus-4.7", "adaptive", {}, False, True),
        ("claude-sonnet-5", "adaptive", {"type": "disabled"}, False, True),
        ("claude-opus-5", "adaptive", {"type": "disabled"}, False, True),
        ("claude-haiku-5-5", "adaptive", {"type": "disabled"}, False, True),
        ("claude-sonnet-5-5", "adaptive", {"type": "between_tools"}, False, False),
        ("anthropic.claude-opus-5-5-v1:0", "adaptive", None, False, False),
        ("claude-fable-5", "adaptive", None, False, False),
        ("claude-mythos-preview", "adaptive", None, False, False),
        ("claude-opus-7", "adaptive", None, False, False),
        ("deepseek-chat", "budget", {}, True, True),
        ("claude-" + "9" * 5000, "budget", {}, True, True),
    ],
)
def test_what_a_model_takes_is_told_by_its_name(
    model: str, thinking: str, off: dict[str, str] | None, samples: bool, forces_tools: bool
) -> None:
    known = traits(model)
    assert known.thinking is Thinking(thinking)
    assert known.off == off
    assert (known.samples, known.forces_tools) == (samples, forces_tools)


@pytest.mark.parametrize(
    ("own", "cap", "sent"), [(50, 20, 20), (50, 80, 50), (50, None, 50), (None, 30, 30)]
)
def test_what_is_written_in_anthropic_s_own_format_goes_as_it_is(
    own: int | None, cap: int | None, sent: int
) -> None:
    written = {
        "model": "asked-for",
        "messages": [{"role": "user", "content": [{"type": "anything"}]}],
        "temperature": 7,
        **({} if own is None else {"max_tokens": own}),
    }
    before = deepcopy(written)
    call = call_to(ADDRESS, output_cap=cap)
    native = Native(dialect=Dialect.MESSAGES, body=written)
    request = ChatRequest.parse(dict(call.request.body), native)
    encoded = CODEC.encode(replace(call, request=request), stream=True)
    assert encoded.dialect is Dialect.MESSAGES
    assert encoded.path == "/messages"
    assert encoded.body == {
        **written,
        "model": "some-model",
        "max_tokens": sent,
        "stream": True,
    }
    assert written == before


@pytest.mark.parametrize(
    ("own", "cap", "budget", "sent", "dropped"),
    [
        (
            9_000,
            4_000,
            8_000,
            {"type": "enabled", "budget_tokens": 3_000},
            "thinking.budget_tokens",
        ),
        (9_000, 8_500, 8_000, {"type": "enabled", "budget_tokens": 8_000}, None),
        (9_000, 1_200, 8_000, {"type": "disabled"}, "thinking"),
        # The caller's own mistake is Anthropic's to name.
        (4_000, 4_000, 8_000, {"type": "enabled", "budget_tokens": 8_000}, None),
        (4_000, None, 8_000, {"type": "enabled", "budget_tokens": 8_000}, None),
    ],
)
def test_thoughts_keep_within_a_cap_that_was_lowered(
    own: int, cap: int | None, budget: int, sent: dict[str, object], dropped: str | None
) -> None:
    thinking = {"type": "enabled", "budget_tokens": budget}
    written = {"model": "m", "messages": [], "max_tokens": own, "thinking": thinking}
    call = call_to(ADDRESS, output_cap=cap)
    native = Native(dialect=Dialect.MESSAGES, body=written)
    request = ChatRequest.parse(dict(call.request.body), native)
    encoded = CODEC.encode(replace(call, request=request), stream=False)
    assert encoded.body["thinking"] == sent
    assert encoded.dropped == (() if dropped is None else (dropped,))
    assert written["thinking"] == {"type": "enabled", "budget_tokens": budget}


@pytest.mark.parametrize(
    ("own", "cap", "sent", "dropped"),
    [
        # Where the caller gave none, one that a limit wants is the gateway's.
        (None, 4_000, {"type": "enabled", "budget_tokens": 3_000}, ("thinking.budget_tokens",)),
        (9_000, 4_000, {"type": "enabled", "budget_tokens": 3_000}, ("thinking.budget_tokens",)),
        (9_000, 1_200, {"type": "disabled"}, ("thinking",)),
        (9_000, 9_000, {"type": "enabled", "budget_tokens": 8_000}, ()),
        (4_000, 4_000, {"type": "enabled", "budget_tokens": 8_000}, ()),
        (None, None, {"type": "enabled", "budget_tokens": 8_000}, ()),
    ],
)
def test_thoughts_that_a_chat_asks_for_keep_within_a_cap_that_is_not_its_own(
    own: int | None, cap: int | None, sent: dict[str, object], dropped: tuple[str, ...]
) -> None:
    body: dict[str, Any] = {"thinking": {"type": "enabled", "budget_tokens": 8_000}}
    if own is not None:
        body["max_tokens"] = own
    call = call_to(ADDRESS, **body)
    encoded = CODEC.encode(replace(call, output_cap=cap), stream=False)
    assert (encoded.body["thinking"], encoded.dropped) == (sent, dropped)
    if cap is not None:
        assert encoded.body["max_tokens"] == cap
    assert call.request.body["thinking"]["budget_tokens"] == 8_000


def test_another_dialect_is_translated() -> None:
    call = call_to(ADDRESS)
    native = Native(dialect=Dialect.RESPONSES, body={"input": "Hi"})
    request = ChatRequest.parse(dict(call.request.body), native)
    sent = CODEC.encode(replace(call, request=request), stream=False)
    assert sent.dialect is None
    assert "input" not in sent.body
