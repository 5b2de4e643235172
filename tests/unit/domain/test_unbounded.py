from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langroute.domain.dialects import Dialect
from langroute.domain.operations import Operation, OperationRequest
from langroute.domain.unbounded import unbounded

FUNCTION = {"type": "function", "function": {"name": "f"}}
FLAT = {"type": "function", "name": "f"}


@pytest.mark.parametrize(
    ("dialect", "body", "field"),
    [
        (None, {}, None),
        (None, {"tools": [FUNCTION, {"type": "custom", "custom": {"name": "c"}}]}, None),
        (None, {"tools": [{"function": {"name": "f"}}]}, None),
        (None, {"web_search_options": {}}, "web_search_options"),
        (None, {"web_search_options": None, "tools": None, "plugins": []}, None),
        (None, {"plugins": [{"id": "web"}]}, "plugins"),
        (None, {"search_parameters": {"mode": "auto"}}, "search_parameters"),
        (None, {"data_sources": [{"type": "azure_search"}]}, "data_sources"),
        (None, {"tools": [FUNCTION, {"type": "web_search"}]}, "tools.1"),
        (None, {"tools": [{"googleSearch": {}}]}, "tools.0"),
        (None, {"tools": [{"type": {}}]}, "tools.0"),
        (None, {"cached_content": "cachedContents/1"}, "cached_content"),
        (
            None,
            {"extra_body": {"google": {"cachedContent": "cachedContents/1"}}},
            "extra_body.google.cachedContent",
        ),
        (None, {"store": True}, None),
        (None, {"models": ["other/model"]}, "models"),
        (None, {"models": [], "fallbacks": None}, None),
        (Dialect.COMPLETIONS, {"prompt": "Hi", "models": ["other/model"]}, "models"),
        (Dialect.RESPONSES, {"input": "Hi", "models": ["other/model"]}, "models"),
        (Dialect.MESSAGES, {"fallbacks": [{"model": "other"}]}, "fallbacks"),
        (Dialect.COMPLETIONS, {"prompt": "Hi"}, None),
        (Dialect.RESPONSES, {"input": "Hi", "tools": [FLAT]}, None),
        (Dialect.RESPONSES, {"previous_response_id": "resp_1"}, "previous_response_id"),
        (Dialect.RESPONSES, {"conversation": {"id": "conv_1"}}, "conversation"),
        (Dialect.RESPONSES, {"prompt": {"id": "pmpt_1"}}, "prompt"),
        (Dialect.RESPONSES, {"tools": [FLAT, {"type": "web_search"}]}, "tools.1.type"),
        (Dialect.RESPONSES, {"tools": [{"type": "code_interpreter"}]}, "tools.0.type"),
        (Dialect.RESPONSES, {"tools": [{"type": "mcp"}]}, "tools.0.type"),
        (Dialect.RESPONSES, {"tools": [{"type": "shell"}]}, "tools.0.type"),
        (Dialect.RESPONSES, {"tools": [{"type": "a_new_one"}]}, "tools.0.type"),
        (
            Dialect.RESPONSES,
            {"tools": [{"type": "shell", "environment": {"type": "local"}}]},
            None,
        ),
        (Dialect.RESPONSES, {"tools": [{"type": "apply_patch"}]}, None),
        (Dialect.RESPONSES, {"input": [{"type": "item_reference", "id": "1"}]}, "input.0"),
        (Dialect.MESSAGES, {"tools": [{"name": "f"}, {"type": "custom", "name": "g"}]}, None),
        (Dialect.MESSAGES, {"tools": [{"type": "text_editor_20250728"}]}, None),
        (Dialect.MESSAGES, {"tools": [{"type": "bash_20250124"}]}, None),
        (Dialect.MESSAGES, {"tools": [{"type": "web_search_20250305"}]}, "tools.0.type"),
        (Dialect.MESSAGES, {"tools": [{"type": "code_execution_20250825"}]}, "tools.0.type"),
        (Dialect.MESSAGES, {"mcp_servers": [{"url": "https://example.com"}]}, "mcp_servers"),
        (Dialect.MESSAGES, {"container": "c"}, "container"),
        (Dialect.MESSAGES, {"thread": "t"}, "thread"),
        *((dialect, {"plugins": [{"id": "web"}]}, "plugins") for dialect in Dialect),
        *((dialect, {"preset": "research"}, "preset") for dialect in (None, *Dialect)),
        *((dialect, {"mcp_servers": [{}]}, "mcp_servers") for dialect in (None, *Dialect)),
        (None, {"mm_processor_kwargs": {"max_pixels": 10**9}}, "mm_processor_kwargs"),
        (Dialect.MESSAGES, {"compaction": {"type": "enabled"}}, "compaction"),
        (
            Dialect.MESSAGES,
            {"context_management": {"edits": [{"type": "compact_20260112"}]}},
            "context_management",
        ),
        (
            Dialect.MESSAGES,
            {"context_management": {"edits": [{"type": "clear_tool_uses_20250919"}]}},
            None,
        ),
        (
            Dialect.RESPONSES,
            {"context_management": [{"type": "compaction", "compact_threshold": 1000}]},
            "context_management",
        ),
    ],
)
def test_finds_what_brings_more_than_stands_there(
    dialect: Dialect | None, body: dict[str, Any], field: str | None
) -> None:
    assert unbounded(dialect, body) == field


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "id"]), inner)
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    [
        *("tools", "input", "prompt", "plugins", "extra_body", "thread", "web_search_options"),
        *("context_management", "preset"),
    ]
)


@given(st.sampled_from([None, *Dialect]), st.dictionaries(NAMES, JSON))
def test_whatever_a_caller_sends_it_is_looked_at(
    dialect: Dialect | None, body: dict[str, Any]
) -> None:
    found = unbounded(dialect, body)
    assert found is None or found.split(".")[0] in body


def test_a_recording_elsewhere_is_as_long_as_it_is() -> None:
    body = {"model": "voxtral", "file_url": "https://example.com/a.mp3"}
    asked = OperationRequest.parse(Operation.TRANSCRIPTIONS, body, ())
    assert asked.unbounded == "file_url"
    drawn = OperationRequest.parse(Operation.IMAGE_GENERATIONS, {"model": "m", "prompt": "p"})
    assert drawn.unbounded is None
