"""What a double says, and how it counts: a token is a word."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .seen import Seen
from .turn import COUNTED, Turn

REASONING_TOKENS = 4
_PER_MESSAGE = 4
_CACHED_FROM = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One choice. `words` keep their spaces, so that joined they are the text."""

    words: tuple[str, ...]
    finish_reason: str

    @property
    def text(self) -> str:
        return "".join(self.words)


def said(seen: Seen, turn: Turn) -> Said:
    """What was told, else an echo of the last user message; no longer than the cap allows."""
    text = turn.text if turn.text is not None else f"You said: {_last_user_text(seen.body)}"
    words = tuple(_words("" if turn.tool_calls else text))
    cap = seen.output_cap
    if cap is not None and len(words) + REASONING_TOKENS > cap:
        words = words[: max(0, cap - REASONING_TOKENS)]
        return Said(words=words, finish_reason=turn.finish_reason or "length")
    reason = "tool_calls" if turn.tool_calls else "stop"
    return Said(words=words, finish_reason=turn.finish_reason or reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """Cached tokens are part of the prompt, reasoning is part of the completion."""

    prompt: int
    cached: int
    completion: int
    reasoning: int


def counted(seen: Seen, one: Said) -> Count:
    """A prompt of some length has half of it in the cache."""
    messages = seen.body.get("messages") or []
    prompt = sum(len(list(_words(_text(message)))) + _PER_MESSAGE for message in messages)
    cap = seen.output_cap
    thought = REASONING_TOKENS if cap is None else min(REASONING_TOKENS, cap)
    choices = seen.body.get("n") or 1
    return Count(
        prompt=prompt,
        cached=prompt // 2 if prompt >= _CACHED_FROM else 0,
        completion=choices * (len(one.words) + thought),
        reasoning=choices * thought,
    )


def told_usage(turn: Turn, own: Mapping[str, Any]) -> Mapping[str, Any] | None:
    return own if turn.usage is COUNTED else turn.usage


def _words(text: str) -> Iterator[str]:
    """Each with the space before it."""
    for index, word in enumerate(text.split(" ")):
        if index:
            yield f" {word}"
        elif word:
            yield word


def _last_user_text(body: Mapping[str, Any]) -> str:
    messages = body.get("messages") or []
    return next((_text(m) for m in reversed(messages) if m.get("role") == "user"), "")


def _text(message: Mapping[str, Any]) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in content)
    return content or ""
