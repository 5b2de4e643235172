"""Token usage out of the `usage` objects of the OpenAI format and its dialects.

https://platform.openai.com/docs/api-reference/chat/object: the details are *parts* of
`prompt_tokens` and `completion_tokens`; here they become classes that never overlap.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ...domain.services import service_in, service_named
from ...domain.usage import TokenUsage
from .unit_counts import SERVER_TOOLS, WEB_SEARCHES, units_told, whole

# Mistral spells the first both ways, and older servers of theirs count beside the details.
_PROMPT_DETAILS = ("prompt_tokens_details", "prompt_token_details")
_OUTPUT_DETAILS = ("completion_tokens_details", "completion_token_details")
# Of what was written to the cache, in an answer in OpenAI's format: a name of this gateway's own.
WRITTEN_FOR_AN_HOUR = "cache_write_1h_tokens"
# How Anthropic says at which service it answered: what is ordinary need not be told.
_SERVICES = ("speed", "inference_geo")
_NOTHING: Mapping[str, Any] = {}
# No context is within four orders of magnitude of this: beyond it, a count is a fault. Sums of
# such counts can be written as JSON, which ends at 64 bits.
MAX_TOKENS = 10**12


def token_usage(usage: object, answer: Mapping[str, Any] = _NOTHING) -> TokenUsage | None:
    """None where nothing can be learnt of it, so that the call is settled at an estimate. The
    `answer` that it stands in tells at which service it was given.

    Never raises. A part that is larger than its whole is cut down to it.
    """
    if not isinstance(usage, dict):
        return None
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    total = _count(usage.get("total_tokens"))
    if prompt is None and completion is not None and total is not None:
        prompt = max(0, total - completion) or None
    if completion is None and prompt is not None and total is not None:
        completion = max(0, total - prompt)
    if prompt is None or completion is None:
        return None
    if total is not None and total > prompt + completion:
        prompt, completion = _with_what_is_apart(usage, prompt, completion, total)
    if prompt + completion == 0:
        return None
    inputs, outputs = _object(usage, _PROMPT_DETAILS), _object(usage, _OUTPUT_DETAILS)
    cached, left = _part(cached_tokens(usage), prompt)
    of_cached = _object(inputs, ("cached_tokens_details",))
    cached_sound, cached = _part(of_cached.get("audio_tokens"), cached)
    cached_images, cached = _part(of_cached.get("image_tokens"), cached)
    written, left = _part(inputs.get("cache_write_tokens"), left)
    written_1h, written = _part(inputs.get(WRITTEN_FOR_AN_HOUR), written)
    heard, left = _part(_not_cached(inputs, "audio_tokens", cached_sound), left)
    seen, plain_input = _part(_not_cached(inputs, "image_tokens", cached_images), left)
    reasoning, left = _part(outputs.get("reasoning_tokens"), completion)
    spoken, left = _part(outputs.get("audio_tokens"), left)
    drawn, plain_output = _part(outputs.get("image_tokens"), left)
    return TokenUsage(
        input=plain_input,
        cached_input=cached,
        cached_audio_input=cached_sound,
        cached_image_input=cached_images,
        cache_write=written,
        cache_write_1h=written_1h,
        audio_input=heard,
        image_input=seen,
        output=plain_output,
        reasoning=reasoning,
        audio_output=spoken,
        image_output=drawn,
        service=service_in(usage, answer),
        units=units_told(usage, answer),
    )


def _with_what_is_apart(
    usage: Mapping[str, Any], prompt: int, completion: int, total: int
) -> tuple[int, int]:
    """Some servers tell what was thought only in the total, and it is sold as output:
    https://github.com/mozilla-ai/any-llm/issues/1290. Some leave out of the prompt what was cached.
    """
    apart = total - prompt - completion
    if apart == cached_tokens(usage):
        return prompt + apart, completion
    return prompt, completion + apart


def responses_usage(usage: object, answer: Mapping[str, Any] = _NOTHING) -> TokenUsage | None:
    """https://platform.openai.com/docs/api-reference/responses/object: the same in other words."""
    if not isinstance(usage, dict):
        return None
    return token_usage(
        {
            **usage,
            "prompt_tokens": usage.get("input_tokens"),
            "completion_tokens": usage.get("output_tokens"),
            "total_tokens": usage.get("total_tokens"),
            "prompt_tokens_details": usage.get("input_tokens_details"),
            "completion_tokens_details": usage.get("output_tokens_details"),
        },
        answer,
    )


def images_usage(usage: object) -> TokenUsage | None:
    """https://platform.openai.com/docs/api-reference/images/object: told as for responses. What is
    not said to be text is the image: the events of a stream give no details of the output, and
    answers need not."""
    told = token_usage(usage) or responses_usage(usage)
    if told is None or not isinstance(usage, dict):
        return None
    details = _object(usage, ("output_tokens_details", *_OUTPUT_DETAILS))
    if _count(details.get("image_tokens")) is not None:
        return told
    drawn = max(0, told.output - (_count(details.get("text_tokens")) or 0))
    return replace(told, output=told.output - drawn, image_output=drawn)


def messages_usage(usage: object) -> TokenUsage | None:
    """https://docs.anthropic.com/en/api/messages: `input_tokens` leaves out what was read from, and
    written to, the cache; thinking is among the output."""
    return token_usage(openai_usage(usage)) if isinstance(usage, dict) else None


def openai_usage(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Anthropic's usage, as OpenAI has it.

    What the cache keeps for an hour is dearer, and counted apart:
    https://platform.claude.com/docs/en/build-with-claude/prompt-caching#1-hour-cache-duration
    What summing up a long conversation took is billed, but not among the totals:
    https://platform.claude.com/docs/en/build-with-claude/compaction#understanding-usage"""
    passes = [usage, *_compactions(usage)]
    read = _total(passes, "cache_read_input_tokens")
    written = _total(passes, "cache_creation_input_tokens")
    prompt = _total(passes, "input_tokens") + read + written
    completion = _total(passes, "output_tokens")
    told: dict[str, Any] = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    if read or written:
        details = {"cached_tokens": read, "cache_write_tokens": written}
        for_an_hour = _total(
            [_object(one, ("cache_creation",)) for one in passes], "ephemeral_1h_input_tokens"
        )
        if for_an_hour:
            details[WRITTEN_FOR_AN_HOUR] = for_an_hour
        told["prompt_tokens_details"] = details
    thought = _count(_object(usage, ("output_tokens_details",)).get("thinking_tokens"))
    told |= {name: usage[name] for name in _SERVICES if service_named(usage.get(name)) is not None}
    if thought:
        told["completion_tokens_details"] = {"reasoning_tokens": thought}
    if searches := whole(_object(usage, (SERVER_TOOLS,)).get(WEB_SEARCHES)):
        told[SERVER_TOOLS] = {WEB_SEARCHES: searches}
    return told


def _compactions(usage: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    told = usage.get("iterations")
    told = told if isinstance(told, list) else []
    return [one for one in told if isinstance(one, dict) and one.get("type") == "compaction"]


def _total(passes: Iterable[Mapping[str, Any]], name: str) -> int:
    return min(sum(_count(one.get(name)) or 0 for one in passes), MAX_TOKENS)


def cached_tokens(usage: Mapping[str, Any]) -> int:
    """How much of the prompt came from the provider's cache, under whichever name it is told."""
    told = _count(_object(usage, _PROMPT_DETAILS).get("cached_tokens"))
    return told or _count(usage.get("num_cached_tokens")) or 0


def _not_cached(details: Mapping[str, Any], name: str, cached: int) -> int:
    """What is told of sound, and of images, holds what was cached of them."""
    return max(0, (_count(details.get(name)) or 0) - cached)


def _part(part: object, whole: int) -> tuple[int, int]:
    """The part, and what is left of the whole."""
    if not part:  # most are not told, or nothing
        return 0, whole
    count = min(_count(part) or 0, whole)
    return count, whole - count


def _count(value: object) -> int | None:
    # A bool is an int in Python; a NaN fails both comparisons.
    if type(value) is not int and type(value) is not float:
        return None
    return int(value) if 0 <= value <= MAX_TOKENS else None


def _object(usage: Mapping[str, Any], names: tuple[str, ...]) -> Mapping[str, Any]:
    for name in names:
        value = usage.get(name)
        if isinstance(value, dict):
            return value
    return {}
