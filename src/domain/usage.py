from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter

from .units import NO_UNITS, Units

INPUT_CLASSES = (
    *("input", "cached_input", "cached_audio_input", "cached_image_input"),
    *("cache_write", "cache_write_1h", "audio_input", "image_input"),
)
OUTPUT_CLASSES = ("output", "reasoning", "audio_output", "image_output")
TOKEN_CLASSES = INPUT_CLASSES + OUTPUT_CLASSES
_counts_of = attrgetter(*TOKEN_CLASSES)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """The tokens of one call, in classes that never overlap: their sum is the total.

    The OpenAI format counts cached, reasoning, audio and image tokens *inside* its totals;
    `prompt_tokens` and `completion_tokens` give those totals back. What was cached counts as that
    alone: sound and images apart where a provider tells them apart, and as `cached_input` where it
    does not. What is written to a cache that keeps it for an hour, and is dearer for it, is
    `cache_write_1h` alone.
    `service` is at which service the provider says that it answered, where that is not the
    ordinary one: `priority`, `flex`. Such have prices of their own. `units` are what is not counted
    in tokens.
    """

    input: int = 0
    cached_input: int = 0
    cached_audio_input: int = 0
    cached_image_input: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    audio_input: int = 0
    image_input: int = 0
    output: int = 0
    reasoning: int = 0
    audio_output: int = 0
    image_output: int = 0
    service: str | None = None
    units: Units = NO_UNITS

    def __post_init__(self) -> None:
        for name, count in zip(TOKEN_CLASSES, _counts_of(self), strict=True):
            if type(count) is not int or count < 0:
                raise ValueError(f"{name} tokens must be a whole number of at least 0")

    @property
    def prompt_tokens(self) -> int:
        return (
            self.input
            + self.cached_input
            + self.cached_audio_input
            + self.cached_image_input
            + self.cache_write
            + self.cache_write_1h
            + self.audio_input
            + self.image_input
        )

    @property
    def completion_tokens(self) -> int:
        return self.output + self.reasoning + self.audio_output + self.image_output

    @property
    def total(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @classmethod
    def counting(cls, counts: Mapping[str, int], service: str | None = None) -> "TokenUsage":
        """Of counts by the names of classes and of units. Raises ValueError."""
        tokens = {name: count for name, count in counts.items() if name in TOKEN_CLASSES}
        others = {name: n for name, n in counts.items() if n and name not in TOKEN_CLASSES}
        return cls(**tokens, service=service, units=Units(others))

    @property
    def counts(self) -> dict[str, int]:
        """What it was made of: each class of tokens, and each unit that was used."""
        return {**{name: getattr(self, name) for name in TOKEN_CLASSES}, **self.units.by_name}

    @property
    def is_nothing(self) -> bool:
        return not (self.total or self.units)

    def __add__(self, other: "TokenUsage") -> "TokenUsage":
        return TokenUsage(
            input=self.input + other.input,
            cached_input=self.cached_input + other.cached_input,
            cached_audio_input=self.cached_audio_input + other.cached_audio_input,
            cached_image_input=self.cached_image_input + other.cached_image_input,
            cache_write=self.cache_write + other.cache_write,
            cache_write_1h=self.cache_write_1h + other.cache_write_1h,
            audio_input=self.audio_input + other.audio_input,
            image_input=self.image_input + other.image_input,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
            audio_output=self.audio_output + other.audio_output,
            image_output=self.image_output + other.image_output,
            service=self.service or other.service,
            units=self.units + other.units,
        )


NO_USAGE = TokenUsage()
