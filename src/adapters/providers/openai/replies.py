"""Answers with what some servers say in words of their own said in the usual ones: callers need not
know who answered, and what was used is counted once."""

from typing import Any

from .facts import Facts


def with_usual_words(body: dict[str, Any], facts: Facts, part: str) -> dict[str, Any]:
    """Changes the body it is given. `part` is that of a choice: its message, or its delta."""
    if facts.says_reasoning:
        for choice in body["choices"]:
            _rename_reasoning(choice[part])
    usage = body.get("usage")
    if isinstance(usage, dict):
        if facts.cache_hits is not None:
            _tell_cached(usage, facts.cache_hits)
        if facts.counts_reasoning_apart:
            _count_reasoning(usage)
    return body


def _rename_reasoning(said: dict[str, Any]) -> None:
    reasoning = said.get("reasoning")
    if isinstance(reasoning, str | None):
        said.pop("reasoning", None)
        if reasoning and not said.get("reasoning_content"):
            said["reasoning_content"] = reasoning


def _tell_cached(usage: dict[str, Any], name: str) -> None:
    details = usage.get("prompt_tokens_details") or {}
    if isinstance(details, dict) and "cached_tokens" not in details and name in usage:
        usage["prompt_tokens_details"] = {**details, "cached_tokens": usage[name]}


def _count_reasoning(usage: dict[str, Any]) -> None:
    """Where the sum says that reasoning is not among the output, so that it is never counted
    twice."""
    details = usage.get("completion_tokens_details")
    reasoning = details.get("reasoning_tokens") if isinstance(details, dict) else None
    prompt, output = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not (isinstance(prompt, int) and isinstance(output, int) and isinstance(reasoning, int)):
        return
    if prompt + output + reasoning == usage.get("total_tokens"):
        usage["completion_tokens"] = output + reasoning
