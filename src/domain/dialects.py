from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Dialect(StrEnum):
    """A format of chats other than OpenAI's chat completions, in which a caller may speak."""

    COMPLETIONS = "completions"
    RESPONSES = "responses"
    MESSAGES = "messages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Native:
    """A request as its caller wrote it, in the dialect that it speaks. A provider that speaks it,
    too, is sent this, and its answer goes back as it is; others are sent the translation.

    `headers` are those that change what is asked for, and go along with the body. `dropped` names
    what the translation leaves out. `only_native` names a field that cannot be left out, and has no
    translation: others are not sent anything.
    """

    dialect: Dialect
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)
    only_native: str | None = None
    dropped: tuple[str, ...] = ()
