from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .gate import Gate

COUNTED: Mapping[str, Any] = {}
"""Stands for the usage that the double counts itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What a double does with one request. Without anything set, it answers as the provider does.

    `cut_after`, `hang_after` and `error_after` count the events of a stream; a whole answer is cut
    before it at 0, and else in the middle. `gate` holds the answer back until a test opens it, or
    what comes after `gate_after` events.
    `raw` is sent instead of an answer: bytes as a whole one, a list in its pieces as a stream.
    `lingers` keeps the connection open when everything has been said.
    `usage` is the double's own count unless it is given; None tells none.
    """

    text: str | None = None
    reasoning: str | None = None
    tool_calls: Sequence[Mapping[str, Any]] = ()
    finish_reason: str | None = None
    usage: Mapping[str, Any] | None = field(default_factory=lambda: COUNTED)
    done: bool = True

    status: int = 200
    error: Mapping[str, Any] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    raw: bytes | Sequence[bytes] | None = None
    content_type: str | None = None

    gate: Gate | None = None
    gate_after: int | None = None
    hangs: bool = False
    cut_after: int | None = None
    hang_after: int | None = None
    error_after: int | None = None
    cuts_stale: bool = False
    lingers: bool = False
