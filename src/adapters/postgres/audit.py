from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, select

from ...application.ports.audit import AuditLog, ChangeQuery
from ...domain.audit import Action, Change, Image
from .database import Database
from .tables.audit import AUDIT
from .times import to_ns, to_timestamp

_ROW = AUDIT.c


class PostgresAudit:
    """What triggers have written (migration 0010): no change escapes them, whoever makes it. Each
    method raises StoreUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changes(self, query: ChangeQuery) -> Sequence[Change]:
        newest = (
            select(AUDIT)
            .where(*_which(query))
            .order_by(_ROW.at.desc(), _ROW.number.desc())
            .limit(query.limit)
        )
        async with self._database.reading() as connection:
            return [_change(row) for row in await connection.execute(newest)]

    async def note(
        self, kind: str, name: str, action: Action, after: Image, reason: str | None = None
    ) -> None:
        """Who and when is told by the database, as for every other row."""
        row = {"kind": kind, "name": name, "action": str(action), "after": after, "reason": reason}
        async with self._database.changing() as connection:
            await connection.execute(insert(AUDIT).values(row))


def _which(query: ChangeQuery) -> list[ColumnElement[bool]]:
    which = []
    if query.kind is not None:
        which.append(_ROW.kind == query.kind)
    if query.name is not None:
        which.append(_ROW.name == query.name)
    if query.from_ns is not None:
        which.append(_ROW.at >= to_timestamp(query.from_ns))
    if query.until_ns is not None:
        which.append(_ROW.at < to_timestamp(query.until_ns))
    return which


def _change(row: Row[*tuple[Any, ...]]) -> Change:
    return Change(
        at_ns=to_ns(row.at),
        actor=row.actor,
        role=row.role,
        kind=row.kind,
        name=row.name,
        action=Action(row.action),
        before=row.before,
        after=row.after,
        reason=row.reason,
    )


_: type[AuditLog] = PostgresAudit
