from typing import Any

from ..said import as_object, count


def responses_usage(usage: object) -> dict[str, Any] | None:
    """A chat's usage in the words of https://platform.openai.com/docs/api-reference/responses/object;
    None where there is none."""
    if not isinstance(usage, dict):
        return None
    read, written = count(usage, "prompt_tokens"), count(usage, "completion_tokens")
    inputs = as_object(usage.get("prompt_tokens_details"))
    outputs = as_object(usage.get("completion_tokens_details"))
    return {
        "input_tokens": read,
        "input_tokens_details": {
            "cached_tokens": count(inputs, "cached_tokens"),
            "cache_write_tokens": count(inputs, "cache_write_tokens"),
        },
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": count(outputs, "reasoning_tokens")},
        "total_tokens": count(usage, "total_tokens") or read + written,
    }
