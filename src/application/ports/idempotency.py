from typing import Protocol
from uuid import UUID

from ...domain.idempotency import Found, KeptReply, RepeatableCall


class IdempotentReplies(Protocol):
    """What was answered to named calls, and who is answering one now, on whichever process: for a
    day, and no larger than the store keeps.

    A call that is being answered belongs to its owner, who must renew that every few seconds: when
    it has not, the next one that asks takes over.
    """

    async def begin(self, call: RepeatableCall, owner: UUID) -> Found:
        """In one step: of those that ask at once, one begins. Raises StoreUnavailable."""
        ...

    async def renew(self, call: RepeatableCall, owner: UUID) -> bool:
        """False where it is no longer the owner's."""
        ...

    async def keep(self, call: RepeatableCall, owner: UUID, reply: KeptReply) -> None:
        """Nothing changes where it is no longer the owner's."""
        ...

    async def forget(self, call: RepeatableCall, owner: UUID) -> None:
        """It came to nothing that is to be kept: the next one that asks begins anew."""
        ...

    async def sweep(self) -> int:
        """Lets go of what is older than a day. Returns how many."""
        ...

    @property
    def largest(self) -> int:
        """The most bytes of a body that are kept."""
        ...

    @property
    def lease_s(self) -> float:
        """How long an owner may be silent."""
        ...
