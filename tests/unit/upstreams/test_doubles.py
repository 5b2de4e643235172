"""The providers that tests are made with: whatever they are asked, they refuse it or answer it."""

from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from upstreams.anthropic import AnthropicUpstream
from upstreams.double import UpstreamDouble
from upstreams.gemini import GeminiUpstream
from upstreams.mistral import MistralUpstream
from upstreams.openai import OpenAIUpstream
from upstreams.own_responses import ResponsesUpstream

DOUBLES = [
    AnthropicUpstream,
    GeminiUpstream,
    MistralUpstream,
    OpenAIUpstream,
    ResponsesUpstream,
]
NAMES = st.sampled_from(
    [
        *("model", "messages", "max_tokens", "stream", "tools", "system", "input", "n", "metadata"),
        *("role", "content", "tool_calls", "id", "function", "type", "text", "tool_use_id"),
        *("contents", "parts", "generationConfig", "candidateCount", "functionCall", "requests"),
    ]
)
WORDS = st.sampled_from(["user", "assistant", "tool", "text", "tool_use", "tool_result", "x"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 3) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=8)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=OBJECTS | JSON)
@pytest.mark.parametrize("double", DOUBLES)
async def test_anything_is_answered_or_refused(double: type[UpstreamDouble], body: Any) -> None:
    async with double() as upstream, aiohttp.ClientSession() as http:
        root = upstream.base_url.rpartition("/")[0]
        path = upstream.path.replace("{target}", "m:generateContent")
        paths = [path] if double is ResponsesUpstream else [path, "/v1/embeddings"]
        for each in paths:
            async with http.post(root + each, json=body) as response:
                assert response.status in {200, 400, 404, 422}


@pytest.mark.parametrize("double", DOUBLES)
async def test_what_is_no_json_is_refused(double: type[UpstreamDouble]) -> None:
    async with double() as upstream, aiohttp.ClientSession() as http:
        root = upstream.base_url.rpartition("/")[0]
        path = upstream.path.replace("{target}", "m:generateContent")
        async with http.post(root + path, data=b"{") as response:
            assert response.status == 400
