from typing import Any

from .....domain.chat import ChatRequest
from .....domain.estimates import likely_tokens
from ..said import as_object, count

Usage = dict[str, Any]

# Every one is required, as null where there is nothing to tell.
_DELTA: Usage = {
    "input_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "output_tokens": 0,
    "output_tokens_details": None,
    "server_tool_use": None,
}
_WHOLE: Usage = {"cache_creation": None, "inference_geo": None, "service_tier": None}
NOTHING_YET = {**_DELTA, **_WHOLE}


def whole_usage(usage: object, asked: ChatRequest, said_bytes: int) -> Usage:
    """Of a message; of a stream's end, where the rest has been told at its start, `delta_usage`."""
    return delta_usage(usage, asked, said_bytes) | _WHOLE


def delta_usage(usage: object, asked: ChatRequest, said_bytes: int) -> Usage:
    """As https://docs.anthropic.com/en/api/messages has it: `input_tokens` leaves out what was read
    from, and written to, the cache. Anthropic always tells it: where the provider did not, it is
    estimated."""
    told = as_object(usage)
    prompt, output = count(told, "prompt_tokens"), count(told, "completion_tokens")
    if not prompt + output:
        estimate = {
            "input_tokens": asked.likely_input,
            "output_tokens": likely_tokens(said_bytes),
        }
        return _DELTA | estimate
    parts = as_object(told.get("prompt_tokens_details"))
    made = as_object(told.get("completion_tokens_details"))
    read = min(count(parts, "cached_tokens"), prompt)
    written = min(count(parts, "cache_write_tokens"), prompt - read)
    thinking = min(count(made, "reasoning_tokens"), output)
    return _DELTA | {
        "input_tokens": prompt - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": output,
        "output_tokens_details": {"thinking_tokens": thinking} if thinking else None,
    }
