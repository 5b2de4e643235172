from dataclasses import dataclass

from ...wire.codec import EncodedChat


@dataclass(frozen=True, slots=True, kw_only=True)
class SentChat(EncodedChat):
    """`calls_functions` says that the caller knows OpenAI's older `functions`, and is to be
    answered by a `function_call`."""

    calls_functions: bool = False
