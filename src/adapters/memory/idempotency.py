from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

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
from ...domain.ids import KeyId

_NS = 10**9
_MOST_BYTES = 64 * 1024 * 1024
_MOST = 10_000


@dataclass(slots=True)
class _Entry:
    request: bytes
    owner: UUID
    lease_until_ns: int
    expires_at_ns: int
    reply: KeptReply | None = None

    def is_over(self, now_ns: int) -> bool:
        is_lost = self.reply is None and self.lease_until_ns <= now_ns
        return is_lost or self.expires_at_ns <= now_ns

    @property
    def size(self) -> int:
        return len(self.reply.body) if self.reply else 0


class MemoryIdempotency:
    """For one process. The oldest replies go first, where there are too many or they are too large
    together: a call that is repeated later than that is made again."""

    def __init__(
        self,
        clock: Clock,
        *,
        largest: int = MAX_KEPT_BYTES,
        most_bytes: int = _MOST_BYTES,
        most: int = _MOST,
        lease_s: float = LEASE_S,
    ) -> None:
        self._clock = clock
        self.largest = largest
        self.lease_s = lease_s
        self._most_bytes = most_bytes
        self._most = most
        self._bytes = 0
        # What was answered longest ago stands first.
        self._entries: OrderedDict[tuple[KeyId, str], _Entry] = OrderedDict()

    async def begin(self, call: RepeatableCall, owner: UUID) -> Found:
        now_ns = self._clock.now_ns()
        entry = self._entries.get((call.key_id, call.name))
        if entry is not None and not entry.is_over(now_ns):
            return OTHER_REQUEST if entry.request != call.request else entry.reply or UNDER_WAY
        self._drop((call.key_id, call.name))
        self._entries[call.key_id, call.name] = _Entry(
            request=call.request,
            owner=owner,
            lease_until_ns=now_ns + int(self.lease_s * _NS),
            expires_at_ns=now_ns + DAY_NS,
        )
        self._make_room()
        return Begun(owner)

    async def renew(self, call: RepeatableCall, owner: UUID) -> bool:
        entry = self._owned(call, owner)
        if entry is None:
            return False
        entry.lease_until_ns = self._clock.now_ns() + int(self.lease_s * _NS)
        return True

    async def keep(self, call: RepeatableCall, owner: UUID, reply: KeptReply) -> None:
        entry = self._owned(call, owner)
        if entry is None:
            return
        entry.reply = reply
        self._entries.move_to_end((call.key_id, call.name))
        self._bytes += entry.size
        self._make_room()

    async def forget(self, call: RepeatableCall, owner: UUID) -> None:
        if self._owned(call, owner) is not None:
            self._drop((call.key_id, call.name))

    async def sweep(self) -> int:
        now_ns = self._clock.now_ns()
        old = [name for name, entry in self._entries.items() if entry.expires_at_ns <= now_ns]
        for name in old:
            self._drop(name)
        return len(old)

    def __len__(self) -> int:
        return len(self._entries)

    def _owned(self, call: RepeatableCall, owner: UUID) -> _Entry | None:
        entry = self._entries.get((call.key_id, call.name))
        return entry if entry and entry.owner == owner and entry.reply is None else None

    def _make_room(self) -> None:
        while len(self._entries) > self._most or self._bytes > self._most_bytes:
            answered = (name for name, entry in self._entries.items() if entry.reply is not None)
            oldest = next(answered, None)
            if oldest is None:
                return
            self._drop(oldest)

    def _drop(self, name: tuple[KeyId, str]) -> None:
        entry = self._entries.pop(name, None)
        if entry is not None:
            self._bytes -= entry.size


_: type[IdempotentReplies] = MemoryIdempotency
