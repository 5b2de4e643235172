from dataclasses import dataclass

INPUT_CLASSES = (
    *("input", "cached_input", "cache_write", "cache_write_1h"),
    *("audio_input", "image_input"),
)
OUTPUT_CLASSES = ("output", "reasoning", "audio_output", "image_output")
TOKEN_CLASSES = INPUT_CLASSES + OUTPUT_CLASSES


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenUsage:
    """The tokens of one call, in classes that never overlap: their sum is the total.

    The OpenAI format counts cached, reasoning, audio and image tokens *inside* its totals;
    `prompt_tokens` and `completion_tokens` give those totals back. What was cached is cached input
    alone, whatever it was: sound or an image that is read again counts as neither. What is written
    to a cache that keeps it for an hour, and is dearer for it, is `cache_write_1h` alone.
    `service` is at which service the provider says that it answered, where that is not the
    ordinary one: `priority`, `flex`. Such have prices of their own.
    """

    input: int = 0
    cached_input: int = 0
    cache_write: int = 0
    cache_write_1h: int = 0
    audio_input: int = 0
    image_input: int = 0
    output: int = 0
    reasoning: int = 0
    audio_output: int = 0
    image_output: int = 0
    service: str | None = None

    def __post_init__(self) -> None:
        for name in TOKEN_CLASSES:
            count = getattr(self, name)
            if type(count) is not int or count < 0:
                raise ValueError(f"{name} tokens must be a whole number of at least 0")

    @property
    def prompt_tokens(self) -> int:
        return (
            self.input
            + self.cached_input
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

    def __add__(self, other: "TokenUsage") -> "TokenUsage":
        return TokenUsage(
            input=self.input + other.input,
            cached_input=self.cached_input + other.cached_input,
            cache_write=self.cache_write + other.cache_write,
            cache_write_1h=self.cache_write_1h + other.cache_write_1h,
            audio_input=self.audio_input + other.audio_input,
            image_input=self.image_input + other.image_input,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
            audio_output=self.audio_output + other.audio_output,
            image_output=self.image_output + other.image_output,
            service=self.service or other.service,
        )


NO_USAGE = TokenUsage()
