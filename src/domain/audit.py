from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Image = Mapping[str, Any]
"""A row as JSON: neither secrets nor their digests are in it."""

BY_ITSELF = "gateway"
"""Who did what nobody asked for, such as seeding an empty database."""


class Action(StrEnum):
    """What became of something."""

    CREATED = "created"
    CHANGED = "changed"
    REMOVED = "removed"
    EMPTIED = "emptied"  # a whole table, by TRUNCATE
    RE_RATED = "re-rated"
    CORRECTED = "corrected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of what operators define. Written once, never changed.

    `actor` is who asked for it, as the gateway knows them; `role` is whom the database knew. What
    had no secret before has none here: of one that was replaced, `after` tells only that it was,
    under `replaced`.
    """

    at_ns: int
    actor: str
    role: str | None = None
    kind: str
    name: str
    action: Action
    before: Image | None = None
    after: Image | None = None
    reason: str | None = None
