from typing import Any

import pytest

from langroute.adapters.wire.said import said_bytes


@pytest.mark.parametrize(
    ("delta", "count"),
    [
        ({}, 0),
        ({"role": "assistant", "content": ""}, 0),
        ({"content": "né"}, 3),
        ({"refusal": "no", "reasoning_content": "hm", "reasoning": "hm"}, 4),
        ({"tool_calls": [{"function": {"name": "f", "arguments": "{}"}}, None, {}]}, 3),
        ({"tool_calls": [{"type": "custom", "custom": {"name": "sh", "input": "ls -l"}}]}, 7),
        ({"function_call": {"name": "f", "arguments": "{}"}}, 3),
        # A second of sound, and what is said in it.
        ({"audio": {"data": "A" * 64_000, "transcript": "Ho"}}, 84 + 2),
        ({"images": [{"image_url": {"url": "data:,"}}]}, 4 * 1_290),
        ({"content": [], "audio": [], "images": {}, "tool_calls": {"a": 1}, "refusal": 7}, 0),
    ],
)
def test_whatever_is_written_seen_or_heard_counts(delta: dict[str, Any], count: int) -> None:
    assert said_bytes([{"delta": delta}, {"delta": {}}]) == count
