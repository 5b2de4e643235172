"""https://ai.google.dev/api/generate-content#UsageMetadata, as OpenAI counts."""

from typing import Any

from ....domain.services import service_named
from ...wire.unit_counts import SERVER_TOOLS, WEB_SEARCHES
from ...wire.usage import MAX_TOKENS

_SOUND = ("AUDIO",)
# The pages of a PDF are read as images. Gemini 3 and later count them among those:
# https://ai.google.dev/gemini-api/docs/gemini-3
_IMAGES = ("IMAGE", "DOCUMENT")
_BY_PROMPT = ("gemini-1", "gemini-2")


def usage(metadata: object) -> dict[str, Any] | None:
    """What Google's own tools brought in is part of the prompt, and thoughts, which it counts
    apart, of the completion. None where nothing is told."""
    if not isinstance(metadata, dict):
        return None
    prompt = _sum(metadata, "promptTokenCount", "toolUsePromptTokenCount")
    completion = _sum(metadata, "candidatesTokenCount", "thoughtsTokenCount")
    total = _count(metadata.get("totalTokenCount"))
    if prompt is None and completion is None and total is None:
        return None
    prompt, completion = _without_gaps(prompt, completion, total)
    told: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    cached = _count(metadata.get("cachedContentTokenCount"))
    cached_parts = {
        "audio_tokens": _of(_SOUND, metadata, "cacheTokensDetails"),
        "image_tokens": _of(_IMAGES, metadata, "cacheTokensDetails"),
    }
    read = "promptTokensDetails", "toolUsePromptTokensDetails"
    inputs = {
        "cached_tokens": cached,
        "audio_tokens": _of(_SOUND, metadata, *read),
        "image_tokens": _of(_IMAGES, metadata, *read),
        "cached_tokens_details": {part: count for part, count in cached_parts.items() if count},
    }
    outputs = {
        "reasoning_tokens": _count(metadata.get("thoughtsTokenCount")),
        "audio_tokens": _of(_SOUND, metadata, "candidatesTokensDetails"),
        "image_tokens": _of(_IMAGES, metadata, "candidatesTokensDetails"),
    }
    for name, parts in (("prompt_tokens_details", inputs), ("completion_tokens_details", outputs)):
        if known := {part: count for part, count in parts.items() if count}:
            told[name] = known
    return told


def service_tier(metadata: object) -> str | None:
    """At which service it was answered, which may be another one than was asked for:
    https://ai.google.dev/gemini-api/docs/priority-inference"""
    told = metadata.get("serviceTier") if isinstance(metadata, dict) else None
    if not isinstance(told, str):
        return None
    return "default" if told.lower() == "standard" else service_named(told.lower())


def with_searches(told: dict[str, Any], searches: int) -> dict[str, Any]:
    return {**told, SERVER_TOOLS: {WEB_SEARCHES: searches}} if searches else told


def searches(body: dict[str, Any]) -> int:
    """Of an answer, or of one of its events. Up to Gemini 2.5 a prompt is charged that is grounded,
    since then each query: https://ai.google.dev/gemini-api/docs/google-search#pricing"""
    told = body.get("candidates")
    queries = {
        query
        for candidate in (told if isinstance(told, list) else ())
        if isinstance(candidate, dict)
        and isinstance(grounding := candidate.get("groundingMetadata"), dict)
        and isinstance(asked := grounding.get("webSearchQueries"), list)
        for query in asked
        if isinstance(query, str) and query
    }
    version = body.get("modelVersion")
    by_prompt = isinstance(version, str) and version.startswith(_BY_PROMPT)
    return min(1, len(queries)) if by_prompt else len(queries)


def _without_gaps(prompt: int | None, completion: int | None, total: int | None) -> tuple[int, int]:
    """Zeros are left out, too: a gap is what the rest leaves of the total."""
    whole = total or 0
    if prompt is None:
        prompt = max(0, whole - (completion or 0))
    return prompt, max(0, whole - prompt) if completion is None else completion


def _sum(metadata: dict[str, Any], *names: str) -> int | None:
    counts = [count for name in names if (count := _count(metadata.get(name))) is not None]
    return sum(counts) if counts else None


def _of(modalities: tuple[str, ...], metadata: dict[str, Any], *names: str) -> int:
    return sum(
        _count(detail.get("tokenCount")) or 0
        for name in names
        if isinstance(details := metadata.get(name), list)
        for detail in details
        if isinstance(detail, dict) and detail.get("modality") in modalities
    )


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= MAX_TOKENS else None
