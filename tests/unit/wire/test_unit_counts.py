from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.adapters.providers.gemini.codec import GeminiCodec
from langroute.adapters.wire.codec import EncodedChat
from langroute.adapters.wire.operation_answers import operation_usage
from langroute.adapters.wire.unit_counts import units_told
from langroute.adapters.wire.usage import (
    messages_usage,
    openai_usage,
    responses_usage,
    token_usage,
)
from langroute.domain.operations import Operation
from langroute.domain.units import NO_UNITS, Units
from langroute.domain.usage import TokenUsage

NAMES = st.sampled_from(
    [
        *("server_tool_use", "web_search_requests", "num_search_queries"),
        *("prompt_audio_seconds", "type", "seconds", "output", "action"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SENT = EncodedChat(path="/x", body={})


def test_what_is_not_sold_by_the_token_is_found_wherever_it_is_told() -> None:
    searched = {"web_search_requests": 2, "web_fetch_requests": 5}
    told = {"input_tokens": 10, "output_tokens": 3, "server_tool_use": searched}
    usage = TokenUsage(input=10, output=3, units=Units.of(web_searches=2))
    assert messages_usage(told) == token_usage(openai_usage(told)) == usage
    perplexity = {"prompt_tokens": 10, "completion_tokens": 3, "num_search_queries": 2}
    assert token_usage(perplexity) == usage


def test_of_the_web_only_searches_are_charged() -> None:
    def call(kind: str, **action: Any) -> dict[str, Any]:
        return {"type": f"{kind}_call", "id": "x", **action}

    output = [
        call("web_search", action={"type": "search", "query": "a", "queries": ["a", "b"]}),
        call("web_search", action={"type": "open_page", "url": "https://a.test"}),
        call("web_search", action={"type": "find_in_page", "pattern": "b"}),
        call("web_search"),
        call("file_search", queries=["c"]),
        {"type": "message"},
        "nonsense",
    ]
    told = {"input_tokens": 10, "output_tokens": 3}
    assert responses_usage(told, {"output": output}) == TokenUsage(
        input=10, output=3, units=Units.of(web_searches=2, file_searches=1)
    )


def test_what_is_heard_is_told_in_seconds() -> None:
    heard = {"type": "duration", "seconds": 8.2}
    assert operation_usage(heard, Operation.TRANSCRIPTIONS) == TokenUsage(
        units=Units.of(audio_seconds=9)
    )
    mistral = {"input_tokens": 4, "output_tokens": 2, "prompt_audio_seconds": 203}
    assert operation_usage(mistral, Operation.TRANSCRIPTIONS) == TokenUsage(
        input=4, output=2, units=Units.of(audio_seconds=203)
    )
    nothing = {"type": "duration", "seconds": 0}
    assert operation_usage(nothing, Operation.TRANSCRIPTIONS) is None


@pytest.mark.parametrize(("model", "searches"), [("gemini-3.8-flash", 2), ("gemini-2.5-pro", 1)])
def test_google_charges_queries_and_before_that_prompts(model: str, searches: int) -> None:
    grounding = {"webSearchQueries": ["a", "", "b", "a"]}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 3, "totalTokenCount": 13}
    body = {
        "modelVersion": model,
        "candidates": [
            {
                "content": {"parts": [{"text": "x"}]},
                "finishReason": "STOP",
                "groundingMetadata": grounding,
            }
        ],
        "usageMetadata": usage,
    }
    whole = GeminiCodec().reply(body, SENT)
    (chunk,) = list(GeminiCodec().decoder(SENT)(body, b"") or ())
    expected = TokenUsage(input=10, output=3, units=Units.of(web_searches=searches))
    assert token_usage(whole["usage"]) == token_usage(chunk["usage"]) == expected


@given(st.dictionaries(NAMES, JSON), st.dictionaries(NAMES, JSON | st.lists(JSON)))
def test_whatever_is_told_is_a_count_or_nothing(
    usage: dict[str, Any], answer: dict[str, Any]
) -> None:
    units = units_told(usage, answer)
    assert units == NO_UNITS or all(count > 0 for count in units.by_name.values())
