from collections import deque
from collections.abc import Sequence
from dataclasses import fields, is_dataclass
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

from ...application.ports.audit import Actors, AuditLog, ChangeQuery
from ...application.ports.clock import Clock
from ...domain.audit import Action, Change, Image
from ...domain.money import Money

_KEPT = 10_000


class MemoryAudit:
    """For a gateway that is embedded without a database: the newest changes that were made through
    its memory stores. Of a store that an application brings itself, it sees nothing."""

    def __init__(self, clock: Clock, actors: Actors, *, kept: int = _KEPT) -> None:
        self._clock = clock
        self._actors = actors
        self._changes: deque[Change] = deque(maxlen=kept)

    async def changes(self, query: ChangeQuery) -> Sequence[Change]:
        found = [change for change in reversed(self._changes) if _is_within(change, query)]
        return found[: query.limit]

    async def note(
        self, kind: str, name: str, action: Action, after: Image, reason: str | None = None
    ) -> None:
        self._add(kind, name, action, None, after, reason)

    def saw(self, kind: str, name: str, before: object, after: object) -> None:
        """A value that was put in the place of another: None where there was, or is, nothing."""
        if before == after:
            return
        action = Action.CHANGED
        if before is None:
            action = Action.CREATED
        elif after is None:
            action = Action.REMOVED
        self._add(kind, name, action, _image(before), _image_after(before, after), None)

    def _add(
        self,
        kind: str,
        name: str,
        action: Action,
        before: Image | None,
        after: Image | None,
        reason: str | None,
    ) -> None:
        self._changes.append(
            Change(
                at_ns=self._clock.now_ns(),
                actor=self._actors.current(),
                kind=kind,
                name=name,
                action=action,
                before=before,
                after=after,
                reason=reason,
            )
        )


def _is_within(change: Change, query: ChangeQuery) -> bool:
    return (
        (query.kind is None or change.kind == query.kind)
        and (query.name is None or change.name == query.name)
        and (query.from_ns is None or change.at_ns >= query.from_ns)
        and (query.until_ns is None or change.at_ns < query.until_ns)
    )


def _image(value: object) -> dict[str, Any] | None:
    """Fields that a value does not show of itself are its secrets, or are told elsewhere."""
    if not is_dataclass(value):
        return None
    shown = [field.name for field in fields(value) if field.repr]
    return {name: _json(getattr(value, name)) for name in shown}


def _image_after(before: object, after: object) -> dict[str, Any] | None:
    image = _image(after)
    if image is None or not is_dataclass(before) or not is_dataclass(after):
        return image
    hidden = [field.name for field in fields(after) if not field.repr and field.init]
    replaced = [name for name in hidden if getattr(before, name) != getattr(after, name)]
    return {**image, "replaced": replaced} if replaced else image


def _json(value: object) -> Any:
    if isinstance(value, Money):
        return str(value)
    if is_dataclass(value):
        return _image(value)
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, UUID | Decimal | Enum):
        return str(value)
    return value


_: type[AuditLog] = MemoryAudit
