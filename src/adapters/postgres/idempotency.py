from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, delete, null, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from ...application.ports.clock import Clock
from ...application.ports.idempotency import IdempotentReplies
from ...domain.idempotency import (
    DAY_NS,
    LEASE_S,
    MAX_KEPT_BYTES,
    OTHER_REQUEST,
    UNDER_WAY,
    Begun,
    Found,
    KeptReply,
    RepeatableCall,
)
from .database import Database
from .tables.calls import IDEMPOTENT_REPLIES
from .times import to_timestamp

_SWEPT_AT_ONCE = 1_000
_DAY = timedelta(microseconds=DAY_NS // 1000)
_ROWS = IDEMPOTENT_REPLIES.c


class PostgresIdempotency:
    """For any number of processes. Each step is one statement on one row, so that nothing can lock
    anything else. Times are the clock's of whoever writes: a lease allows for seconds of difference
    between machines."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        largest: int = MAX_KEPT_BYTES,
        lease_s: float = LEASE_S,
    ) -> None:
        self._database = database
        self._clock = clock
        self.largest = largest
        self.lease_s = lease_s

    async def begin(self, call: RepeatableCall, owner: UUID) -> Found:
        now = to_timestamp(self._clock.now_ns())
        begun = {
            "request": call.request,
            "owner": owner,
            "lease_until": now + timedelta(seconds=self.lease_s),
            "expires_at": now + _DAY,
        }
        nothing = dict.fromkeys(("status", "headers", "body", "streamed"), null())
        is_over = or_(
            _ROWS.expires_at <= now, and_(_ROWS.status.is_(None), _ROWS.lease_until <= now)
        )
        claim = (
            insert(IDEMPOTENT_REPLIES)
            .values(key_id=call.key_id, name=call.name, **begun)
            .on_conflict_do_update(
                index_elements=[_ROWS.key_id, _ROWS.name], set_={**begun, **nothing}, where=is_over
            )
            .returning(_ROWS.owner)
        )
        async with self._database.writing() as connection:
            if (await connection.execute(claim)).first() is not None:
                return Begun(owner)
            there = await connection.execute(select(IDEMPOTENT_REPLIES).where(_is(call)))
            row = there.first()
        if row is None:  # forgotten in between: whoever asks again begins
            return UNDER_WAY
        if bytes(row.request) != call.request:
            return OTHER_REQUEST
        if row.status is None:
            return UNDER_WAY
        return KeptReply(
            status=row.status,
            headers=tuple((name, value) for name, value in row.headers),
            body=bytes(row.body),
            streamed=row.streamed,
        )

    async def renew(self, call: RepeatableCall, owner: UUID) -> bool:
        until = to_timestamp(self._clock.now_ns()) + timedelta(seconds=self.lease_s)
        renewed = update(IDEMPOTENT_REPLIES).where(_is_owned(call, owner)).values(lease_until=until)
        async with self._database.writing() as connection:
            return bool((await connection.execute(renewed)).rowcount)

    async def keep(self, call: RepeatableCall, owner: UUID, reply: KeptReply) -> None:
        kept = (
            update(IDEMPOTENT_REPLIES)
            .where(_is_owned(call, owner))
            .values(
                status=reply.status,
                headers=[list(header) for header in reply.headers],
                body=reply.body,
                streamed=reply.streamed,
            )
        )
        async with self._database.writing() as connection:
            await connection.execute(kept)

    async def forget(self, call: RepeatableCall, owner: UUID) -> None:
        async with self._database.writing() as connection:
            await connection.execute(delete(IDEMPOTENT_REPLIES).where(_is_owned(call, owner)))

    async def sweep(self) -> int:
        now = to_timestamp(self._clock.now_ns())
        # Rows that another process is sweeping just now are left to it.
        old = (
            select(_ROWS.key_id, _ROWS.name)
            .where(_ROWS.expires_at <= now)
            .limit(_SWEPT_AT_ONCE)
            .with_for_update(skip_locked=True)
            .cte("old")
        )
        swept = delete(IDEMPOTENT_REPLIES).where(
            _ROWS.key_id == old.c.key_id, _ROWS.name == old.c.name
        )
        async with self._database.writing() as connection:
            return (await connection.execute(swept)).rowcount


def _is(call: RepeatableCall) -> ColumnElement[bool]:
    return and_(_ROWS.key_id == call.key_id, _ROWS.name == call.name)


def _is_owned(call: RepeatableCall, owner: UUID) -> ColumnElement[bool]:
    return and_(_is(call), _ROWS.owner == owner, _ROWS.status.is_(None))


_: type[IdempotentReplies] = PostgresIdempotency
