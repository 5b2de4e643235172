from collections.abc import Mapping
from typing import Any

from .....domain.chat import ChatRequest
from .....domain.estimates import likely_tokens

NOTHING_YET = {
    "input_tokens": 0,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "output_tokens": 0,
}


def told_usage(usage: object, asked: ChatRequest, said_bytes: int) -> dict[str, Any]:
    """As https://docs.anthropic.com/en/api/messages has it: `input_tokens` leaves out what was read
    from, and written to, the cache. Anthropic always tells it: where the provider did not, it is
    estimated."""
    if not isinstance(usage, Mapping) or not _count(usage, "prompt_tokens"):
        estimate = {
            "input_tokens": asked.likely_input,
            "output_tokens": likely_tokens(said_bytes),
        }
        return NOTHING_YET | estimate
    parts, made = (_object(usage, f"{whole}_tokens_details") for whole in ("prompt", "completion"))
    prompt = _count(usage, "prompt_tokens")
    read = min(_count(parts, "cached_tokens"), prompt)
    written = min(_count(parts, "cache_write_tokens"), prompt - read)
    output = _count(usage, "completion_tokens")
    thinking = min(_count(made, "reasoning_tokens"), output)
    return {
        "input_tokens": prompt - read - written,
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": read,
        "output_tokens": output,
    } | ({"output_tokens_details": {"thinking_tokens": thinking}} if thinking else {})


def _count(holder: Mapping[str, Any], name: str) -> int:
    value = holder.get(name)
    return value if type(value) is int and value > 0 else 0


def _object(holder: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = holder.get(name)
    return value if isinstance(value, dict) else {}
