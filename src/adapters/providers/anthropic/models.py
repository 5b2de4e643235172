"""What a model takes, told from its name. Facts: https://platform.claude.com/docs/en/build-with-claude/thinking
and the migration guides of https://platform.claude.com/docs/en/about-claude/models/overview, as of
November 2026."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

# `claude-opus-4-20250514` is 4.0: a date is no minor number. Older names put the family last.
_NAME = re.compile(
    r"claude-(?:(?P<family>opus|sonnet|haiku|fable|mythos)-)?"
    r"(?P<major>\d{1,3}|preview)(?:[-.](?P<minor>\d{1,2}))?(?!\d)"
)
_NEWER_FAMILIES = frozenset({"fable", "mythos"})
_FORCE_NOTHING_SINCE = {"opus": (5, 5), "sonnet": (5, 5), "haiku": (6, 0)}


class Thinking(StrEnum):
    NEVER = "never"
    BUDGET = "budget"
    ADAPTIVE = "adaptive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """`off` is the `thinking` that stops a model which otherwise thinks: empty where it does not
    think unasked, None where nothing stops it. `prefills` says that it goes on with what the
    assistant said last. `default_cap` is sent where nobody caps the output: Anthropic requires a
    cap, which counts thinking, too."""

    thinking: Thinking
    off: Mapping[str, str] | None = field(default_factory=dict)
    samples: bool = True
    prefills: bool = True
    forces_tools: bool = True
    knows_schemas: bool = True
    knows_xhigh: bool = False
    default_cap: int = 16_384


# Servers that speak the format for other models keep to what all of Anthropic's once took.
_UNKNOWN = Traits(thinking=Thinking.BUDGET)


@lru_cache(maxsize=256)
def traits(model: str) -> Traits:
    """A Claude newer than any that is known here is taken to be like the newest."""
    found = _NAME.search(model)
    if found is None:
        return _UNKNOWN
    family = found["family"] or ""
    version = _version(found["major"], found["minor"])
    if version < (3, 7):
        return Traits(thinking=Thinking.NEVER, knows_schemas=False, default_cap=4_096)
    if version < (4, 6):
        return Traits(thinking=Thinking.BUDGET, knows_schemas=version >= (4, 1))
    forces_nothing = family in _NEWER_FAMILIES or version >= _FORCE_NOTHING_SINCE.get(
        family, (5, 0)
    )
    return Traits(
        thinking=Thinking.ADAPTIVE,
        off=_off(family, version),
        samples=version < (4, 7),
        prefills=False,
        forces_tools=not forces_nothing,
        knows_xhigh=version >= (4, 7),
    )


def _off(family: str, version: tuple[int, int]) -> Mapping[str, str] | None:
    if family in _NEWER_FAMILIES or version >= (6, 0):
        return None
    if version < (5, 0):
        return {}
    if version >= (5, 5):
        if family == "opus":
            return None
        if family == "sonnet":
            return {"type": "between_tools"}
    return {"type": "disabled"}


def _version(major: str, minor: str | None) -> tuple[int, int]:
    if major == "preview":
        return 5, 0
    return int(major), int(minor or 0)
